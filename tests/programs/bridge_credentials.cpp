// ringpipe bridge: who may log in, and over what.
#ifdef RINGPIPE_HAS_BRIDGE

#include <cstdlib>

#include "common/temporary_folder.hpp"
#include "tests/support/nats_server.hpp"
#include "tests/support/program.hpp"

using namespace ringpipe;
using namespace ringpipe::test;

namespace {

using words = std::vector<std::string>;

// Made for this test: seed and public key of two users.
constexpr auto* good_seed = "SUAPF6XAYUAWEPHV5GBJE5UNSYJERII7DY3H7WLFYLVKOACBQCZYBMHETQ";
constexpr auto* good_key = "UC6U754UIUPECXM3PTIVSHBAOLGFKHPJALZLSHAOAQZ5FU62ESBKSC4Y";
constexpr auto* other_seed = "SUADDQVEGXR2RWLHGTIYN6FKOQBH7AJEJPOFBWK6I2XJYTY7HEHWJRWI64";
constexpr auto* other_key = "UBR3XC5DK7XMB6LX4SMAAAYBXPBZJWH4ENM7VYISXUE7K2C5QBT2FAOM";

// A ring with one message, to be sent to one server, in whatever way.
struct attempt {
    explicit attempt(const std::string& config) : server{config} {
        producer_program source{{here}, {.input = "a\n"}};
        REQUIRE(source.wait() == 0);
    }

    // The exit code; what it says is one line without secrets if it fails.
    int out(const words& more, const words& environment = {}) const {
        words all{"bridge", "out", here, server.url() + "/jobs", "--create"};
        all.insert(all.end(), more.begin(), more.end());
        words prefix{"/usr/bin/env"};
        prefix.insert(prefix.end(), environment.begin(), environment.end());
        program sut{"ringpipe", all, {.prefix = prefix}};
        const int code = sut.wait();
        const auto err = sut.err();
        CAPTURE(err);
        if (code != 0) { CHECK(is_one_line(err, "ringpipe: ")); }
        CHECK(err.find("secret") == std::string::npos);
        return code;
    }

    nats_server server;
    unique_ring here;
};

// A folder with an authority, a server's certificate by it, and another authority.
class certificates {
  public:
    certificates() {
        const auto script =
            "cd " + folder_.path().string() +
            " && for a in ca other; do openssl req -x509 -newkey ec -pkeyopt "
            "ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=$a -keyout $a.key -out $a.pem; done"
            " && openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "
            "/CN=localhost -keyout server.key -out server.csr"
            " && echo subjectAltName=IP:127.0.0.1 > names"
            " && openssl x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2"
            " -extfile names -out server.pem";
        REQUIRE(std::system(("(" + script + ") >/dev/null 2>&1 </dev/null").c_str()) == 0);
    }

    [[nodiscard]] std::string path(std::string_view name) const { return folder_.path() / name; }

  private:
    temporary_folder folder_;
};

}  // namespace

TEST_CASE("bridge: a user with a password gets in and one with another does not") {
    const attempt sut{"authorization { user: me, password: secret }\n"};
    CHECK(sut.out({"--user", "me"}, {"RINGPIPE_NATS_PASSWORD=secret2"}) == 77);
    CHECK(sut.out({"--user", "you"}, {"RINGPIPE_NATS_PASSWORD=secret"}) == 77);
    CHECK(sut.out({"--user", "me"}, {"RINGPIPE_NATS_PASSWORD=secret"}) == 0);
}

TEST_CASE("bridge: a token lets in and another does not") {
    const attempt sut{"authorization { token: secret }\n"};
    CHECK(sut.out({}) == 77);
    CHECK(sut.out({}, {"RINGPIPE_NATS_TOKEN=secret2"}) == 77);
    CHECK(sut.out({}, {"RINGPIPE_NATS_TOKEN=secret"}) == 0);
}

TEST_CASE("bridge: an NKey lets in and another does not") {
    const attempt sut{std::string{"authorization { users: [ { nkey: "} + good_key + " } ] }\n"};
    const unique_file good{good_seed};
    const unique_file other{other_seed};
    CHECK(sut.out({"--nkey", other_key, "--nkey-seed", other.path()}) == 77);
    CHECK(sut.out({"--nkey", good_key, "--nkey-seed", "/no/such/file"}) != 0);
    CHECK(sut.out({"--nkey", good_key}) == 64);
    CHECK(sut.out({"--creds", "/no/such/file"}) != 0);
    CHECK(sut.out({"--nkey", good_key, "--nkey-seed", good.path()}) == 0);
}

TEST_CASE("bridge: over TLS it talks only to a server that the authority knows") {
    const certificates made;
    const attempt sut{"tls { cert_file: \"" + made.path("server.pem") + "\", key_file: \"" +
                      made.path("server.key") + "\" }\n"};
    CHECK(sut.out({}) == 74);
    CHECK(sut.out({"--tls-ca", made.path("other.pem")}) == 74);
    CHECK(sut.out({"--tls-ca", made.path("server.key")}) == 74);
    CHECK(sut.out({"--tls-ca", made.path("ca.pem")}) == 0);
}

TEST_CASE("bridge: a server without TLS is refused where TLS was asked for") {
    const certificates made;
    const attempt sut{""};
    CHECK(sut.out({"--tls-ca", made.path("ca.pem")}) == 74);
}

#endif

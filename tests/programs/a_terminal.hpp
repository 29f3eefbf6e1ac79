// A real terminal, which is tmux: keys are sent, the screen is read.
#pragma once

#include <string>

namespace ringpipe::test {

[[nodiscard]] bool has_tmux();

// Of 80x24 with a program in it; both are gone afterwards. When the program has ended, the screen
// says with which exit code, and stays.
class a_terminal {
  public:
    // `command` has no single quotes in it.
    explicit a_terminal(const std::string& command,
                        const std::string& environment = "LC_ALL=C.UTF-8");
    a_terminal(const a_terminal&) = delete;
    a_terminal& operator=(const a_terminal&) = delete;
    ~a_terminal();

    void press(const std::string& keys);
    void resize(int columns, int rows);
    [[nodiscard]] std::string text() const;
    // From 0 at the top.
    [[nodiscard]] std::string row(int number) const;
    // Wait for it.
    [[nodiscard]] bool shows(const std::string& what) const;
    [[nodiscard]] bool hides(const std::string& what) const;

  private:
    std::string tmux_;
};

}  // namespace ringpipe::test

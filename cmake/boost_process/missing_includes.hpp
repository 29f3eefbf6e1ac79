// What <boost/process/v2.hpp> (1.81 to 1.83) uses without including it when it is built with
// std::filesystem. The compiler includes this before every source that uses Boost.Process.
#pragma once

#include <boost/optional.hpp>
#include <boost/type_traits.hpp>

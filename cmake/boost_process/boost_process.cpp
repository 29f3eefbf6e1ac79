// All definitions of Boost.Process v2, compiled once (see cmake/dependencies.cmake).
#include <boost/process/v2/src.hpp>

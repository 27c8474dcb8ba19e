// Boost.JSON, compiled once for the whole product: Debian ships its source in the headers, and so
// nothing has to be installed at run time.
#include <boost/json/src.hpp>

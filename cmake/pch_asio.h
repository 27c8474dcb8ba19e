// Precompiled for the targets that include Asio, which is what eats compile time.
#pragma once
#include "pch_std.h"

#include <boost/asio.hpp>

// Precompiled for the targets that include Asio, which is what eats compile time.
#pragma once
#include <boost/asio.hpp>

#include "pch_std.h"

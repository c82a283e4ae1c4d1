// A program without a test, which owns the precompiled header of all the others.
#include "precompiled.hpp"

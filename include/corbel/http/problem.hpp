#pragma once

#include <exception>
#include <string>

#include <corbel/base/error.hpp>
#include <corbel/http/request.hpp>
#include <corbel/http/response.hpp>

namespace corbel::problem {

/// Writes the error envelope, the one form in which any failure leaves the service:
/// `{"code","message","details","timestamp","path","requestId"}`, or the same facts as RFC 9457 when the
/// client prefers application/problem+json. `e.cause()` is never part of it. Replaces whatever `out` held,
/// but for what `before` hooks have set.
void write(const request& in, const error& e, response& out);

/// What an exception means to the client: the error inside a `failure`, otherwise `internal_error` with the
/// exception's text as the cause, for the log.
error from_exception(std::exception_ptr thrown) noexcept;
/// The same for what served `in`: work that was cancelled because the client had left is no fault of the
/// service, but `client_gone()`.
error from_exception(const request& in, std::exception_ptr thrown) noexcept;

}  // namespace corbel::problem

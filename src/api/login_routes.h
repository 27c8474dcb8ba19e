// How a browser is let in: a code for one login, which only the control socket gives; the page that
// takes it; and the session's cookie. docs/decisions/0021 says why it is done this way.
#pragma once
#include <boost/asio/awaitable.hpp>
#include <string>

#include "api/backend.h"
#include "decide/login_book.h"
#include "net/exchange.h"
#include "net/target.h"

namespace estiva::api {

// True where a cookie of a live session came with the request; the session counts as used now.
bool has_session(decide::LoginBook& book, const net::RequestHead& head);

// POST /api/v1/login: {"schema":"estiva/login/1","urls":[..],"expires_seconds":60}
net::Awaitable<void> post_code(Backend& backend, decide::LoginBook& book, net::Exchange& exchange);
// DELETE /api/v1/login: ends every session, {"schema":"estiva/login/1","ended":2}
net::Awaitable<void> end_sessions(decide::LoginBook& book, net::Exchange& exchange);

// GET /login?code=CODE: a page with a button. It uses nothing up, so that a preview of the link or
// a browser that looks ahead can't.
net::Awaitable<void> login_page(net::Exchange& exchange, const net::Target& target);
// POST /login, code=CODE in a form: 303 to / with the cookie; 403 wrong, 429 too many wrong ones.
net::Awaitable<void> log_in(decide::LoginBook& book, net::Exchange& exchange);
// POST /logout: 303 to /, and the session and its cookie are gone.
net::Awaitable<void> log_out(decide::LoginBook& book, net::Exchange& exchange);

// GET /
net::Awaitable<void> front_page(Backend& backend, net::Exchange& exchange, bool is_session);
// GET / of somebody else: 401.
net::Awaitable<void> closed_page(net::Exchange& exchange);

}  // namespace estiva::api

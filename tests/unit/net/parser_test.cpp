// The parser, the body decoder, the writer and the small pure helpers.
#include <gtest/gtest.h>
#include <random>

#include "net/address.h"
#include "net/body_decoder.h"
#include "net/head_writer.h"
#include "net/http_parser.h"
#include "net/relay.h"
#include "net/sse.h"
#include "net/target.h"

namespace estiva::net {
namespace {

constexpr std::string_view kHost = "Host: h\r\n";

struct Refusal {
  const char* name;
  std::string text;
  ParseError error;
};

const std::vector<Refusal>& refusals() {
  using E = ParseError;
  static const std::vector<Refusal> kRefusals = {
      {"length with transfer coding",
       "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n",
       E::length_and_coding},
      {"transfer coding with length",
       "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n",
       E::length_and_coding},
      {"two different lengths",
       "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\n",
       E::bad_length},
      {"two equal lengths",
       "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\n",
       E::bad_length},
      {"list of lengths", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3, 3\r\n\r\n",
       E::bad_length},
      {"signed length", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: +3\r\n\r\n", E::bad_length},
      {"negative length", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: -3\r\n\r\n",
       E::bad_length},
      {"hex length", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 0x3\r\n\r\n", E::bad_length},
      {"empty length", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: \r\n\r\n", E::bad_length},
      {"length beyond 64 bits",
       "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 99999999999999999999\r\n\r\n", E::bad_length},
      {"coding gzip", "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip\r\n\r\n",
       E::bad_transfer_coding},
      {"coding gzip, chunked",
       "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
       E::bad_transfer_coding},
      {"coding chunked, identity",
       "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked, identity\r\n\r\n",
       E::bad_transfer_coding},
      {"coding xchunked", "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: xchunked\r\n\r\n",
       E::bad_transfer_coding},
      {"two codings",
       "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: "
       "chunked\r\n\r\n",
       E::bad_transfer_coding},
      {"coding in HTTP/1.0", "POST / HTTP/1.0\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n",
       E::bad_transfer_coding},
      {"coding behind a vertical tab",
       "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: \x0b"
       "chunked\r\n\r\n",
       E::bad_field},
      {"bare CR in a value", "GET / HTTP/1.1\r\nHost: h\r\nA: b\rc\r\n\r\n", E::bad_line_ending},
      {"bare LF line ending", "GET / HTTP/1.1\r\nHost: h\nA: b\r\n\r\n", E::bad_line_ending},
      {"bare LF blank line", "GET / HTTP/1.1\r\nHost: h\r\n\n", E::bad_line_ending},
      {"bare LF everywhere", "GET / HTTP/1.1\nHost: h\n\n", E::bad_line_ending},
      {"space before the colon", "GET / HTTP/1.1\r\nHost : h\r\n\r\n", E::space_before_colon},
      {"tab before the colon", "GET / HTTP/1.1\r\nHost: h\r\nA\t: b\r\n\r\n",
       E::space_before_colon},
      {"folded field", "GET / HTTP/1.1\r\nHost: h\r\nA: b\r\n c\r\n\r\n", E::folded_field},
      {"folded with tab", "GET / HTTP/1.1\r\nHost: h\r\nA: b\r\n\tc\r\n\r\n", E::folded_field},
      {"blank first field line", "GET / HTTP/1.1\r\n Host: h\r\n\r\n", E::folded_field},
      {"NUL in a value", std::string("GET / HTTP/1.1\r\nHost: h\r\nA: b\0c\r\n\r\n", 35),
       E::bad_field},
      {"NUL in a name", std::string("GET / HTTP/1.1\r\nHost: h\r\nA\0: b\r\n\r\n", 34),
       E::bad_field},
      {"field without colon", "GET / HTTP/1.1\r\nHost: h\r\nabc\r\n\r\n", E::bad_field},
      {"empty name", "GET / HTTP/1.1\r\nHost: h\r\n: b\r\n\r\n", E::bad_field},
      {"bracket in a name", "GET / HTTP/1.1\r\nHost: h\r\nA[]: b\r\n\r\n", E::bad_field},
      {"high byte in a name", "GET / HTTP/1.1\r\nHost: h\r\nA\xff: b\r\n\r\n", E::bad_field},
      {"DEL in a value", "GET / HTTP/1.1\r\nHost: h\r\nA: b\x7f\r\n\r\n", E::bad_field},
      {"bad character in the method", "G(T / HTTP/1.1\r\nHost: h\r\n\r\n", E::bad_start_line},
      {"no target", "GET HTTP/1.1\r\nHost: h\r\n\r\n", E::bad_start_line},
      {"two spaces", "GET  / HTTP/1.1\r\nHost: h\r\n\r\n", E::bad_start_line},
      {"high byte in the target", "GET /\xc3\xa9 HTTP/1.1\r\nHost: h\r\n\r\n", E::bad_start_line},
      {"fragment in the target", "GET /a#b HTTP/1.1\r\nHost: h\r\n\r\n", E::bad_start_line},
      {"absolute target", "GET http://evil/ HTTP/1.1\r\nHost: h\r\n\r\n", E::bad_start_line},
      {"authority target", "CONNECT a:1 HTTP/1.1\r\nHost: h\r\n\r\n", E::bad_start_line},
      {"space in the target", "GET /a b HTTP/1.1\r\nHost: h\r\n\r\n", E::bad_version},
      {"HTTP/2.0", "GET / HTTP/2.0\r\nHost: h\r\n\r\n", E::bad_version},
      {"HTTP/1.2", "GET / HTTP/1.2\r\nHost: h\r\n\r\n", E::bad_version},
      {"lower-case version", "GET / http/1.1\r\nHost: h\r\n\r\n", E::bad_version},
      {"HTTP/0.9", "GET /\r\n\r\n", E::bad_start_line},
      {"no host", "GET / HTTP/1.1\r\nA: b\r\n\r\n", E::bad_host},
      {"two hosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", E::bad_host},
      {"slash in the host", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", E::bad_host},
      {"user in the host", "GET / HTTP/1.1\r\nHost: u@h\r\n\r\n", E::bad_host},
      {"empty first line", "\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n", E::bad_start_line},
      {"blank line only", "\r\n", E::bad_start_line},
  };
  return kRefusals;
}

TEST(RequestParser, refuses_what_two_readers_could_read_differently) {
  for (const Refusal& row : refusals()) {
    RequestHead head;
    HeadFinder finder;
    const std::size_t block = finder.find(row.text);
    ASSERT_GT(block, 0u) << row.name;
    const auto error = parse_request(std::string_view(row.text).substr(0, block), head).error;
    // The exact reason matters less than that there is one, but a wrong one misleads the user.
    EXPECT_EQ(static_cast<int>(error), static_cast<int>(row.error)) << row.name;
    EXPECT_GE(parse_error_status(error), 400) << row.name;
    EXPECT_FALSE(parse_error_text(error).empty()) << row.name;
  }
}

TEST(RequestParser, accepts_ordinary_requests_and_keeps_case_and_order) {
  RequestHead head;
  const std::string text =
      "POST /v1/chat?x=%20y HTTP/1.1\r\nHost: box.lan:7700\r\nX-B: 1\r\nx-a:  two words \r\n"
      "CONTENT-length: 17\r\nExpect: 100-continue\r\n\r\n";
  const RequestParse parsed = parse_request(text, head);
  ASSERT_EQ(parsed.error, ParseError::none);
  EXPECT_EQ(head.method, "POST");
  EXPECT_EQ(head.target, "/v1/chat?x=%20y");
  EXPECT_EQ(head.headers[1].name, "X-B");
  EXPECT_EQ(head.headers[2].name, "x-a");
  EXPECT_EQ(head.headers[2].value, "two words");
  EXPECT_EQ(parsed.body.framing, Framing::length);
  EXPECT_EQ(parsed.body.length, 17u);
  EXPECT_TRUE(parsed.expects_continue);
  EXPECT_TRUE(parsed.keep_alive);
}

TEST(RequestParser, keep_alive_follows_version_and_connection_field) {
  const auto keeps = [](std::string text) {
    RequestHead head;
    const RequestParse parsed = parse_request(text, head);
    EXPECT_EQ(parsed.error, ParseError::none) << text;
    return parsed.keep_alive;
  };
  EXPECT_TRUE(keeps("GET / HTTP/1.1\r\nHost: h\r\n\r\n"));
  EXPECT_FALSE(keeps("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"));
  EXPECT_FALSE(keeps("GET / HTTP/1.0\r\n\r\n"));
  EXPECT_TRUE(keeps("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n"));
  EXPECT_TRUE(keeps("OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n"));
}

TEST(RequestParser, limits_the_number_of_fields) {
  std::string text = "GET / HTTP/1.1\r\nHost: h\r\n";
  RequestHead head;
  for (std::size_t i = 1; i < kMaxFields; ++i) text += "A: b\r\n";
  EXPECT_EQ(parse_request(text + "\r\n", head).error, ParseError::none);
  EXPECT_EQ(parse_request(text + "A: b\r\n\r\n", head).error, ParseError::too_many_fields);
}

TEST(HeadFinder, finds_the_same_end_however_the_bytes_arrive) {
  const std::string text = "GET / HTTP/1.1\r\nHost: h\r\nA: b\r\n\r\nbody\r\n\r\n";
  const std::size_t end = text.find("body");
  HeadFinder finder;
  for (std::size_t i = 0; i < end; ++i) EXPECT_EQ(finder.find(text.substr(0, i)), 0u) << i;
  EXPECT_EQ(finder.find(text.substr(0, end)), end);
  finder.reset();
  EXPECT_EQ(finder.find(text), end);
}

TEST(ResponseParser, knows_where_each_response_ends) {
  struct Row {
    const char* text;
    bool head_request;
    Framing framing;
  };
  const Row rows[] = {
      {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", false, Framing::length},
      {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", true, Framing::none},
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", false, Framing::chunked},
      {"HTTP/1.1 200\r\n\r\n", false, Framing::until_close},
      {"HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n", false, Framing::none},
      {"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", false, Framing::none},
      {"HTTP/1.1 100 Continue\r\n\r\n", false, Framing::none},
  };
  for (const Row& row : rows) {
    ResponseHead head;
    const ResponseParse parsed = parse_response(row.text, row.head_request, head);
    if (std::string_view(row.text).starts_with("HTTP/1.1 200\r")) {
      // The blank after the code is required by the grammar; without it the line is malformed.
      EXPECT_NE(parsed.error, ParseError::none);
      continue;
    }
    EXPECT_EQ(parsed.error, ParseError::none) << row.text;
    EXPECT_EQ(static_cast<int>(parsed.body.framing), static_cast<int>(row.framing)) << row.text;
  }
  ResponseHead head;
  EXPECT_EQ(parse_response("HTTP/1.1 200 OK\r\n\r\n", false, head).body.framing,
            Framing::until_close);
}

TEST(ResponseParser, refuses_ambiguous_responses) {
  const char* rows[] = {
      "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
      "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
      "HTTP/1.1 2000 OK\r\n\r\n",
      "HTTP/1.1 099 OK\r\n\r\n",
      "HTTP/1.1 600 OK\r\n\r\n",
      "HTTP/3.0 200 OK\r\n\r\n",
      "ICY 200 OK\r\n\r\n",
      "HTTP/1.1 200 OK\r\nA : b\r\n\r\n",
      "HTTP/1.1 200 OK\nA: b\n\n",
  };
  for (const char* text : rows) {
    ResponseHead head;
    EXPECT_NE(parse_response(text, false, head).error, ParseError::none) << text;
  }
}

struct Decoded {
  std::string body;
  ParseError error = ParseError::none;
  bool done = false;
  std::size_t used = 0;
};

Decoded decode(BodyInfo info, std::string_view text, std::size_t step, std::uint64_t limit = 1000) {
  BodyDecoder decoder;
  decoder.start(info, limit);
  Decoded out;
  std::string pending;
  for (std::size_t at = 0; at < text.size() && !decoder.done(); at += step) {
    pending += text.substr(at, step);
    while (!pending.empty() && !decoder.done()) {
      const auto got = decoder.feed(pending);
      out.body += got.body;
      out.error = got.error;
      if (got.error != ParseError::none) return out;
      if (got.consumed == 0) break;
      out.used += got.consumed;
      pending.erase(0, got.consumed);
    }
  }
  out.done = decoder.done();
  if (!out.done) out.error = decoder.end_of_input();
  return out;
}

TEST(BodyDecoder, chunked_bodies_decode_the_same_in_any_pieces) {
  const std::string text =
      "5\r\nhello\r\n1;name=\"v\"\r\n \r\n00A\r\n0123456789\r\n0\r\nTrailer: x\r\n\r\nNEXT";
  for (std::size_t step = 1; step <= text.size(); ++step) {
    const Decoded got = decode({Framing::chunked, 0}, text, step);
    EXPECT_EQ(got.body, "hello 0123456789") << step;
    EXPECT_TRUE(got.done) << step;
    EXPECT_EQ(got.used, text.size() - 4) << step;
  }
}

TEST(BodyDecoder, refuses_malformed_chunks) {
  const std::string rows[] = {
      "\r\n",
      "g\r\n",
      "5 \r\nhello",
      " 5\r\nhello",
      "-5\r\n",
      "0x5\r\nhello",
      "5\nhello",
      "5\r\rhello",
      "5\r\nhelloX\r\n",
      "5\r\nhello\n",
      "5;a\nb\r\nhello",
      "5;a\x01\r\nhello",
      "1234567890123456\r\n",
      "0\r\n\n",
      "0\r\nA: b\n\r\n",
      "0\r\n folded\r\n\r\n",
      "0\r\n: x\r\n\r\n",
      "5;" + std::string(kMaxChunkLine + 1, 'x') + "\r\nhello",
      "0\r\nA: " + std::string(kMaxTrailerBytes, 'x') + "\r\n\r\n",
  };
  for (const std::string& text : rows)
    for (const std::size_t step : {std::size_t{1}, text.size()})
      EXPECT_NE(decode({Framing::chunked, 0}, text, step, UINT64_MAX).error, ParseError::none)
          << text.substr(0, 20);
}

TEST(BodyDecoder, stops_at_the_limit) {
  EXPECT_EQ(decode({Framing::length, 10}, "0123456789", 3, 9).error, ParseError::body_too_large);
  EXPECT_EQ(decode({Framing::length, 10}, "0123456789", 3, 10).error, ParseError::none);
  EXPECT_EQ(decode({Framing::chunked, 0}, "5\r\nhello\r\n5\r\n", 1, 9).error,
            ParseError::body_too_large);
  EXPECT_EQ(decode({Framing::until_close, 0}, "0123456789", 3, 9).error,
            ParseError::body_too_large);
  EXPECT_EQ(decode({Framing::until_close, 0}, "0123456789", 3, 10).error, ParseError::none);
}

TEST(BodyDecoder, a_body_cut_short_is_truncated) {
  EXPECT_EQ(decode({Framing::length, 10}, "012345678", 9).error, ParseError::truncated);
  EXPECT_EQ(decode({Framing::chunked, 0}, "5\r\nhello\r\n", 9).error, ParseError::truncated);
  EXPECT_EQ(decode({Framing::chunked, 0}, "0\r\n", 9).error, ParseError::truncated);
}

TEST(HeadWriter, what_is_written_parses_back_and_forged_fields_are_refused) {
  RequestHead head;
  head.method = "GET";
  head.target = "/a?b";
  head.headers = {{"Host", "h"}, {"x-Odd-CASE", "v 1"}};
  std::string out;
  ASSERT_TRUE(write_request_head(out, head));
  RequestHead back;
  ASSERT_EQ(parse_request(out + "\r\n", back).error, ParseError::none);
  EXPECT_EQ(back.headers[1].name, "x-Odd-CASE");
  out.clear();
  for (const HeaderView bad :
       {HeaderView{"A", "b\r\nC: d"}, HeaderView{"A", "b\nc"}, HeaderView{"A: x", "b"},
        HeaderView{"A\r\n", "b"}, HeaderView{"", "b"}}) {
    RequestHead forged = head;
    forged.headers.add(bad.name, bad.value);
    EXPECT_FALSE(write_request_head(out, forged)) << bad.name;
    EXPECT_EQ(out, "");
  }
  head.target = "/a b";
  EXPECT_FALSE(write_request_head(out, head));
}

TEST(Headers, find_set_and_remove_ignore_case) {
  Headers headers{{"A", "1"}, {"b", "2"}, {"a", "3"}};
  EXPECT_EQ(headers.find("a"), "1");
  EXPECT_EQ(headers.count("A"), 2u);
  headers.set("B", "4");
  EXPECT_EQ(headers.size(), 3u);
  EXPECT_EQ(headers[2].value, "4");
  headers.remove("A");
  EXPECT_FALSE(headers.has("a"));
  EXPECT_TRUE(list_has("keep-alive , Upgrade", "upgrade"));
  EXPECT_FALSE(list_has("upgraded", "upgrade"));
}

TEST(Endpoint, forms_parse_and_print_back) {
  for (const char* text : {"127.0.0.1:7700", "[::1]:0", "localhost:80", "unix:/run/x.sock"})
    EXPECT_EQ(to_text(parse_endpoint(text).value()), text);
  EXPECT_EQ(parse_endpoint("http://127.0.0.1:1/").value(), Endpoint::tcp("127.0.0.1", 1));
  const std::string long_path = "unix:/" + std::string(107, 'x');
  for (const std::string& text :
       {std::string(""), std::string("7700"), std::string("127.0.0.1"), std::string("127.0.0.1:"),
        std::string("127.0.0.1:65536"), std::string("127.0.0.1:-1"), std::string("127.0.0.1:1x"),
        std::string("::1:80"), std::string("[::1:80"), std::string("example.com:80"),
        std::string("unix:relative"), std::string("unix:"), std::string(":80"), long_path}) {
    const auto parsed = parse_endpoint(text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_EQ(parsed.error().kind, ErrorKind::usage);
    EXPECT_FALSE(parsed.error().remedy.empty());
  }
  EXPECT_TRUE(is_loopback(parse_endpoint("127.9.9.9:1").value()));
  EXPECT_FALSE(is_loopback(parse_endpoint("0.0.0.0:1").value()));
}

TEST(Target, splits_and_decodes_strictly) {
  const Target t = parse_target("/api/v1/leases/a%20b?x=1&y=%26&z").value();
  EXPECT_EQ(t.segments, (std::vector<std::string>{"api", "v1", "leases", "a b"}));
  EXPECT_EQ(t.path, "/api/v1/leases/a b");
  EXPECT_EQ(t.find("y"), "&");
  EXPECT_EQ(t.find("z"), "");
  EXPECT_FALSE(t.find("w"));
  EXPECT_EQ(parse_target("/").value().path, "/");
  for (const char* bad : {"", "*", "a", "//", "/a//b", "/../x", "/a/%2e%2e/b", "/a%2fb", "/a%00",
                          "/%", "/%4", "/%zz", "/a?x=%g1", "http://h/"})
    EXPECT_FALSE(parse_target(bad)) << bad;
  EXPECT_FALSE(parse_target("/" + std::string(200, 'a') + std::string(1, '/') + [] {
    std::string s;
    for (int i = 0; i < 70; ++i) s += "a/";
    return s;
  }()));
  EXPECT_EQ(percent_decode(percent_encode("a/b c%\xff")).value(), "a/b c%\xff");
}

TEST(Target, host_and_origin_are_checked) {
  const std::vector<std::string> allowed{"127.0.0.1", "localhost", "[::1]"};
  const auto host = [&](const char* value) {
    RequestHead head;
    head.headers.add("Host", value);
    return host_allowed(head, allowed);
  };
  EXPECT_TRUE(host("127.0.0.1:7700"));
  EXPECT_TRUE(host("LOCALHOST"));
  EXPECT_TRUE(host("[::1]:7700"));
  EXPECT_FALSE(host("evil.example"));
  EXPECT_FALSE(host("127.0.0.1.evil.example"));
  EXPECT_FALSE(host(""));
  EXPECT_FALSE(host_allowed(RequestHead{}, allowed));
  const auto origin = [&](const char* value) {
    RequestHead head;
    head.headers.add("Origin", value);
    return origin_allowed(head, allowed);
  };
  EXPECT_TRUE(origin_allowed(RequestHead{}, allowed));
  EXPECT_TRUE(origin("http://localhost:7700"));
  EXPECT_FALSE(origin("null"));
  EXPECT_FALSE(origin("http://evil.example"));
  EXPECT_FALSE(origin("http://localhost@evil.example"));
  EXPECT_FALSE(origin("http://localhost/evil"));
  EXPECT_FALSE(origin("file://localhost"));
}

TEST(SameOrigin, IsTheWholeAddressWithItsPort) {
  const auto same = [](std::string_view host, std::string_view origin) {
    RequestHead head;
    head.headers.add("Host", host);
    head.headers.add("Origin", origin);
    return is_same_origin(head);
  };
  EXPECT_TRUE(same("127.0.0.1:7700", "http://127.0.0.1:7700"));
  EXPECT_TRUE(same("Box.lan", "https://box.LAN"));
  EXPECT_TRUE(same("[::1]:7700", "http://[::1]:7700"));
  EXPECT_FALSE(same("127.0.0.1:7700", "http://127.0.0.1:7701"));
  EXPECT_FALSE(same("127.0.0.1:7700", "http://127.0.0.1"));
  EXPECT_FALSE(same("127.0.0.1:7700", "http://localhost:7700"));
  EXPECT_FALSE(same("127.0.0.1:7700", "http://127.0.0.1:7700/"));
  EXPECT_FALSE(same("127.0.0.1:7700", "ftp://127.0.0.1:7700"));
  EXPECT_FALSE(same("127.0.0.1:7700", "null"));
  EXPECT_FALSE(is_same_origin(RequestHead{}));
  RequestHead twice;
  twice.headers = {{"Host", "a"}, {"Origin", "http://a"}, {"Origin", "http://b"}};
  EXPECT_FALSE(is_same_origin(twice));
}

TEST(Token, bearer_is_read_and_compared) {
  RequestHead head;
  EXPECT_FALSE(bearer_token(head));
  head.headers.add("Authorization", "Bearer abc");
  EXPECT_EQ(bearer_token(head), "abc");
  head.headers.add("Authorization", "Bearer abc");
  EXPECT_FALSE(bearer_token(head)) << "two fields: which one counts is nobody's guess";
  EXPECT_TRUE(equal_in_constant_time("abc", "abc"));
  for (const char* wrong : {"", "ab", "abd", "abca", "abcabc"})
    EXPECT_FALSE(equal_in_constant_time(wrong, "abc")) << wrong;
  EXPECT_FALSE(equal_in_constant_time("", ""));
}

TEST(Sse, events_survive_the_way_and_can_not_be_forged) {
  const std::vector<Event> events{
      {"world", "7", "{\"a\":1}"}, {"", "", "two\nlines"}, {"x", "", ""}};
  std::string text(kEventKeepAlive);
  for (const Event& event : events) text += format_event(event);
  for (std::size_t step = 1; step < text.size(); step += 3) {
    EventReader reader;
    std::vector<Event> got;
    for (std::size_t at = 0; at < text.size(); at += step) {
      ASSERT_TRUE(reader.feed(std::string_view(text).substr(at, step)));
      while (auto event = reader.next()) got.push_back(*event);
    }
    ASSERT_EQ(got.size(), 3u) << step;
    EXPECT_EQ(got[0].name, "world");
    EXPECT_EQ(got[0].id, "7");
    EXPECT_EQ(got[1].data, "two\nlines");
  }
  EXPECT_EQ(format_event({"a\ndata: forged", "", "x"}), "event: adata: forged\ndata: x\n\n");
  EventReader small(16);
  EXPECT_FALSE(small.feed("data: 0123456789abcdef"));
}

TEST(Relay, hop_by_hop_fields_are_known) {
  EXPECT_TRUE(is_hop_by_hop("Connection", ""));
  EXPECT_TRUE(is_hop_by_hop("TE", ""));
  EXPECT_TRUE(is_hop_by_hop("X-Mine", "close, x-mine"));
  EXPECT_FALSE(is_hop_by_hop("X-Mine", "close"));
  EXPECT_FALSE(is_hop_by_hop("Content-Type", ""));
}

TEST(Parser, random_bytes_never_break_it) {
  std::mt19937 random(42);
  const std::string seed = "POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nA: b\r\n\r\nabc";
  for (int round = 0; round < 20000; ++round) {
    std::string text = seed;
    for (int i = 0; i < 3; ++i) text[random() % text.size()] = static_cast<char>(random());
    HeadFinder finder;
    RequestHead head;
    const std::size_t block = finder.find(text);
    if (block == 0) continue;
    const auto parsed = parse_request(std::string_view(text).substr(0, block), head);
    if (parsed.error == ParseError::none) {
      EXPECT_EQ(head.headers.count("content-length") + head.headers.count("transfer-encoding") <= 1,
                true);
    }
  }
}

}  // namespace
}  // namespace estiva::net

#include "engines/answers.h"

#include <gtest/gtest.h>

namespace estiva::engines {
namespace {

TEST(ParseUrl, WhatItIsMadeOf) {
  struct Case {
    const char* text;
    const char* endpoint;
    const char* path;
  };
  for (const Case& one :
       {Case{"http://127.0.0.1:8000/v1", "127.0.0.1:8000", "/v1"},
        Case{"http://localhost:8000/", "localhost:8000", "/"},
        Case{"http://localhost", "localhost:80", ""},
        Case{"127.0.0.1:8000/health?x=1", "127.0.0.1:8000", "/health?x=1"},
        Case{"http://[::1]:8000/a/b", "[::1]:8000", "/a/b"}, Case{"http://[::1]", "[::1]:80", ""},
        Case{"unix:/run/a/b.sock", "unix:/run/a/b.sock", ""}}) {
    const auto url = parse_url(one.text);
    ASSERT_TRUE(url) << one.text;
    EXPECT_EQ(net::to_text(url->endpoint), one.endpoint) << one.text;
    EXPECT_EQ(url->path, one.path) << one.text;
  }
}

TEST(ParseUrl, WhatIsNone) {
  for (const char* text : {"", "https://127.0.0.1:8000", "http://example.org:80", "http://:80",
                           "http://127.0.0.1:0", "http://127.0.0.1:70000", "unix:relative"}) {
    const auto url = parse_url(text);
    ASSERT_FALSE(url) << text;
    EXPECT_EQ(url.error().kind, ErrorKind::usage) << text;
  }
}

TEST(WithPort, EveryPlace) {
  EXPECT_EQ(with_port("http://127.0.0.1:${PORT}/x?p=${PORT}", 81), "http://127.0.0.1:81/x?p=81");
  EXPECT_EQ(with_port("no place", 81), "no place");
}

}  // namespace
}  // namespace estiva::engines

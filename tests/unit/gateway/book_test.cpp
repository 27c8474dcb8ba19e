// Models by name, by alias, and as the beginning of a path.
#include "gateway/book.h"

#include <gtest/gtest.h>

namespace estiva::gateway {
namespace {

RouteBook book_of(std::vector<api::Route> routes) {
  RouteBook book;
  book.set(std::move(routes));
  return book;
}

TEST(RouteBook, FindsNamesAliasesAndOllamasLatest) {
  const RouteBook book =
      book_of({{"a", {"b", "c"}, {}, {}}, {"b", {}, {}, {}}, {"d:latest", {}, {}, {}}});
  EXPECT_EQ(book.find("a")->model, "a");
  EXPECT_EQ(book.find("c")->model, "a");
  EXPECT_EQ(book.find("b")->model, "b");  // a name comes before an alias
  EXPECT_EQ(book.find("a:latest")->model, "a");
  EXPECT_EQ(book.find("d:latest")->model, "d:latest");
  EXPECT_EQ(book.find("d"), nullptr);
  EXPECT_EQ(book.find(""), nullptr);
  EXPECT_EQ(book.find(":latest"), nullptr);
}

TEST(RouteBook, CutsTheLongestNameOffAPath) {
  const RouteBook book = book_of({{"o", {}, {}, {}}, {"o/m", {}, {}, {}}, {"o/m/x y", {}, {}, {}}});
  struct Case {
    std::string_view rest, model, path;
  };
  for (const Case& one :
       {Case{"o", "o", ""}, Case{"o?q=/m", "o", "?q=/m"}, Case{"o/", "o", "/"},
        Case{"o/m", "o/m", ""}, Case{"o%2fm/z", "o/m", "/z"}, Case{"o/mm", "o", "/mm"},
        Case{"o/m/x%20y/z?a", "o/m/x y", "/z?a"}, Case{"o/m/x", "o/m", "/x"}}) {
    const auto cut = book.cut(one.rest);
    ASSERT_TRUE(cut) << one.rest;
    EXPECT_EQ(cut->route->model, one.model) << one.rest;
    EXPECT_EQ(cut->path, one.path) << one.rest;
  }
  for (const std::string_view rest : {"", "?o", "x/o", "%zz/o", "O"})
    EXPECT_FALSE(book.cut(rest)) << rest;
}

TEST(RouteBook, NamesTheNearest) {
  const RouteBook book =
      book_of({{"llama3", {}, {}, {}}, {"llama2", {}, {}, {}}, {"mistral", {}, {}, {}}});
  EXPECT_EQ(book.nearest("lama3").front(), "llama3");
  EXPECT_EQ(book.nearest("llama").size(), 2u);
  EXPECT_TRUE(book.nearest("quite-something-else").empty());
}

}  // namespace
}  // namespace estiva::gateway

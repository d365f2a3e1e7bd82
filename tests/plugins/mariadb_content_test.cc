// What is read from a MariaDB dump does not depend on the pieces in which it arrives, and tells
// dumps of other data apart.
#include "mariadb_content.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

using drydock::DumpContent;
using drydock::MariadbDumpReader;

namespace {

DumpContent read(std::string_view text, std::size_t piece = std::string_view::npos) {
  MariadbDumpReader reader;
  for (; !text.empty(); text.remove_prefix(std::min(piece, text.size()))) {
    reader.feed(text.substr(0, piece));
  }
  return reader.finish();
}

std::string quoted(const std::string& text) {
  std::string result = "'";
  for (char c : text) {
    if (c == '\'' || c == '\\') result += '\\';
    result += c == '\n' ? "\\n" : std::string(1, c);
  }
  return result + "'";
}

std::string insert(const std::vector<std::string>& texts) {
  std::string rows;
  for (const std::string& text : texts)
    rows += (rows.empty() ? "(1," : ",\n(1,") + quoted(text) + ")";
  return rows.empty() ? "" : "INSERT INTO `t` VALUES\n" + rows + ";\n";
}

std::string dump(const std::string& rows) {
  return "-- Host: localhost\nCREATE TABLE `t` (\n  `a` int\n) ENGINE=InnoDB;\n" + rows +
         "-- Dump completed on 2026-11-24\n";
}

RC_GTEST_PROP(MariadbDumpReader, ReadsTheSameInPiecesOfAnySize,
              (const std::vector<std::string>& texts)) {
  const std::string whole = dump(insert(texts));
  const DumpContent content = read(whole);
  RC_ASSERT(content.rows.at("t") == texts.size());
  const auto piece = static_cast<std::size_t>(*rc::gen::inRange(1, 40));
  const DumpContent pieces = read(whole, piece);
  RC_ASSERT(pieces.rows == content.rows);
  RC_ASSERT(pieces.data == content.data);
  RC_ASSERT(pieces.statements == content.statements);
  MariadbDumpReader counting(MariadbDumpReader::Rows::count);
  counting.feed(whole);
  const DumpContent counted = counting.finish();
  RC_ASSERT(counted.rows == content.rows);
  RC_ASSERT(counted.statements == content.statements);
}

RC_GTEST_PROP(MariadbDumpReader, DoesNotMindTheOrderOfRowsButEachOfThem,
              (std::vector<std::string> texts, const std::string& another)) {
  const DumpContent content = read(dump(insert(texts)));
  std::vector<std::string> reversed(texts.rbegin(), texts.rend());
  RC_ASSERT(read(dump(insert(reversed))).data == content.data);
  texts.push_back(another);
  const DumpContent more = read(dump(insert(texts)));
  RC_ASSERT(more.data != content.data);
  RC_ASSERT(more.statements == content.statements);
}

TEST(MariadbDumpReader, ReadsRowsOnOneLineAndWithColumnsAsMysqlWritesThem) {
  const DumpContent content =
      read(dump("INSERT INTO `t` VALUES (1,'a;b'),(2,NULL),(3,0x00FF);\n"
                "INSERT INTO `odd ``VALUES (` (`a`, `b VALUES (`) VALUES (1,')('),(2,'\\\\');\n"));
  EXPECT_EQ(content.rows.at("t"), 3u);
  EXPECT_EQ(content.rows.at("odd `VALUES ("), 2u);
}

TEST(MariadbDumpReader, TakesAnInsertOfARoutineForWhatItIs) {
  const std::string routine =
      "DELIMITER ;;\nCREATE PROCEDURE `p`()\nbegin\nINSERT INTO `t` VALUES (1);\nend ;;\n"
      "DELIMITER ;\n";
  const DumpContent content = read(dump(routine));
  EXPECT_EQ(content.rows.at("t"), 0u);
  EXPECT_NE(content.statements, read(dump("")).statements);
}

TEST(MariadbDumpReader, CountsPositionsAsDataAndNotAsStructure) {
  const auto table = [](const std::string& counter) {
    return read("CREATE TABLE `t` (\n  `a` int\n) ENGINE=InnoDB" + counter +
                " DEFAULT CHARSET=a;\n");
  };
  EXPECT_EQ(table(" AUTO_INCREMENT=7").statements, table("").statements);
  EXPECT_EQ(table(" AUTO_INCREMENT=7").statements, table(" AUTO_INCREMENT=8").statements);
  EXPECT_EQ(table(" AUTO_INCREMENT=7").data, table(" AUTO_INCREMENT=8").data);
  EXPECT_EQ(table(" AUTO_INCREMENT=18446744073709551615").counters,
            (std::map<std::string, std::uint64_t>{{"t", 18446744073709551615U}}));
  EXPECT_TRUE(table("").counters.empty());
  EXPECT_NE(read("DO SETVAL(`s`, 1, 0);\n").data, read("DO SETVAL(`s`, 2, 0);\n").data);
}

TEST(MariadbDumpReader, IsCompleteOnlyWithItsLastLine) {
  const std::string whole = dump(insert({"-- Dump completed"}));
  const auto completed = [](const std::string& text) {
    MariadbDumpReader reader;
    reader.feed(text);
    reader.finish();
    return reader.completed();
  };
  EXPECT_TRUE(completed(whole));
  const std::size_t last = whole.rfind("-- Dump completed");
  for (std::size_t size = 0; size < last; ++size) EXPECT_FALSE(completed(whole.substr(0, size)));
}

}  // namespace

// Reading one revision file of Alembic: every form in which its fields are written, and what must
// not be taken for one.
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "revision_file.h"

using drydock::alembic::is_revision_file;
using drydock::alembic::read_revision_file;
using drydock::alembic::RevisionFile;
using drydock::alembic::Unreadable;
using Texts = std::vector<std::string>;

namespace {

RevisionFile read(const std::string& source) {
  return read_revision_file("versions/a1.py", source);
}

// The sentence of the refusal; "" when it was read.
std::string refusal(const std::string& source) {
  try {
    read(source);
    return "";
  } catch (const Unreadable& e) {
    return e.what();
  }
}

// What a file with this value of down_revision comes after.
Texts down(const std::string& value) {
  return read("revision = 'a1'\ndown_revision = " + value + "\n").down_revisions;
}

TEST(RevisionFile, IsReadAsAlembicsTemplateWritesIt) {
  const RevisionFile file = read(R"("""Add the author of a note

Revision ID: a1
Revises: b2
Create Date: 2024-01-02 03:04:05

"""
from alembic import op
import sqlalchemy as sa


# revision identifiers, used by Alembic.
revision: str = 'a1'
down_revision: Union[str, Sequence[str], None] = 'b2'  # of the branch "x"
branch_labels: Union[str, Sequence[str], None] = ("notes", "authors",)
depends_on: Union[str, Sequence[str], None] = ['c3']


def upgrade() -> None:
    revision = 'not this one'
    op.add_column("note", sa.Column("author", sa.Text(), server_default="'down_revision = 1'"))


def downgrade() -> None:
    op.drop_column("note", "author")
)");
  EXPECT_EQ(file.file, "versions/a1.py");
  EXPECT_EQ(file.revision, "a1");
  EXPECT_EQ(file.down_revisions, Texts{"b2"});
  EXPECT_EQ(file.branch_labels, (Texts{"notes", "authors"}));
  EXPECT_EQ(file.depends_on, Texts{"c3"});
  EXPECT_EQ(file.message, "Add the author of a note");
}

TEST(RevisionFile, TakesAnyLiteral) {
  EXPECT_EQ(down("None"), Texts{});
  EXPECT_EQ(down("()"), Texts{});
  EXPECT_EQ(down("''"), Texts{});
  EXPECT_EQ(down("\"b2\""), Texts{"b2"});
  EXPECT_EQ(down("'''b2'''"), Texts{"b2"});
  EXPECT_EQ(down("\"\"\"b2\"\"\""), Texts{"b2"});
  EXPECT_EQ(down("u'b2'"), Texts{"b2"});
  EXPECT_EQ(down("r'b\\2'"), Texts{"b\\2"});
  EXPECT_EQ(down("'b\\x32'"), Texts{"b2"});
  EXPECT_EQ(down("'\\u00e9\\tb\\062\\'\\q'"), Texts{"\xC3\xA9\tb2'\\q"});
  EXPECT_EQ(down("('b2')"), Texts{"b2"});
  EXPECT_EQ(down("'b2',"), Texts{"b2"});
  EXPECT_EQ(down("'b2', \"c3\""), (Texts{"b2", "c3"}));
  EXPECT_EQ(down("('b2', 'c3')"), (Texts{"b2", "c3"}));
  EXPECT_EQ(down("['b2',\n  'c3',  # the other branch\n]"), (Texts{"b2", "c3"}));
  EXPECT_EQ(down("{'b2', 'c3'}"), (Texts{"b2", "c3"}));
  EXPECT_EQ(down("('b2', 'b2')"), Texts{"b2"});
  EXPECT_EQ(down("('b'\n  '2')"), Texts{"b2"});
  EXPECT_EQ(down("'b' \"2\""), Texts{"b2"});
  EXPECT_EQ(down("'b' + '2'"), Texts{"b2"});
  EXPECT_EQ(down("('b2',) + ('c3',)"), (Texts{"b2", "c3"}));
  EXPECT_EQ(down("\\\n  'b2'"), Texts{"b2"});
}

TEST(RevisionFile, TakesSeveralAssignmentsInOneLine) {
  EXPECT_EQ(read("revision = 'a1'; down_revision = 'b2'").down_revisions, Texts{"b2"});
  EXPECT_EQ(read("revision, down_revision = 'a1', ('b2', 'c3')").down_revisions,
            (Texts{"b2", "c3"}));
  EXPECT_EQ(read("revision = name = 'a1'\ndown_revision = None").revision, "a1");
  EXPECT_EQ(read("revision = 'x'\nrevision = 'a1'\ndown_revision = None").revision, "a1");
}

TEST(RevisionFile, TakesAnySource) {
  EXPECT_EQ(read("\xEF\xBB\xBFrevision = 'a1'\r\ndown_revision = 'b2'\r\n").down_revisions,
            Texts{"b2"});
  EXPECT_EQ(read("revision='a1'\ndown_revision=None\nif True:\n\tprint('x')\n").revision, "a1");
  EXPECT_EQ(read("revision = 'a1'\ndown_revision = None\nclass revisions:\n    revision = f()\n"
                 "    def revision(self): return 1\n"
                 "async def upgrade():\n    text = '''\ndown_revision = x()\n'''\n")
                .revision,
            "a1");
  EXPECT_EQ(read("revision = 'a1'\ndown_revision = None\nop.revision = f(revision=1)\n").revision,
            "a1");
  EXPECT_EQ(read("revision = 'a1'\ndown_revision = None\nprint(revision, [revision for x in y])\n"
                 "if __name__ == '__main__':\n    assert revision == 'a1'\n"
                 "    print(f'{down_revision=}')\n    text = f(revision)\n")
                .revision,
            "a1");
  EXPECT_EQ(read("down_revision: str\nrevision = 'a1'\ndown_revision = None").revision, "a1");
  EXPECT_EQ(read("from x import *\nrevision = 'a1'\ndown_revision = depends_on = None\n"
                 "branch_labels = None")
                .revision,
            "a1");
}

TEST(RevisionFile, SaysWhereAFieldIsNoLiteral) {
  EXPECT_EQ(refusal("revision = 'a1'\ndown_revision = previous()\n"),
            "versions/a1.py:2: `down_revision` is not set to a plain literal");
  for (const char* source :
       {"revision = 'a1'\ndown_revision = PREVIOUS",
        "revision = 'a1'\ndown_revision = 'b' + x",
        "revision = 'a1'\ndown_revision = f'b2'",
        "revision = 'a1'\ndown_revision = b'b2'",
        "revision = 'a1'\ndown_revision = 1",
        "revision = 'a1'\ndown_revision = {}",
        "revision = 'a1'\ndown_revision = ('b2', None)",
        "revision = 'a1'\ndown_revision = '\\N{x}'",
        "revision = 'a1'\ndown_revision = 'b2' if x else 'c3'",
        "revision = 'a1'\ndown_revision = [name for name in x]",
        "revision = 'a1'\ndown_revision = None\ndepends_on = (Branch.main,)",
        "revision = ('a1',)\ndown_revision = None",
        "revision = None\ndown_revision = None",
        "revision = 'a-1'\ndown_revision = None",
        "revision = '\xFF'\ndown_revision = None",
        "revision = 'a1'\nif x:\n    down_revision = 'b2'",
        "revision = 'a1'\nif x: down_revision = 'b2'\nelse: down_revision = 'c3'",
        "revision = 'a1'\ndown_revision = 'b2'\ntry: down_revision = 'c3'\nexcept E: pass",
        "revision = 'a1'\ndown_revision = 'b2'\nfor down_revision in x: pass",
        "revision = 'a1'\ndown_revision = 'b2'\ndown_revision += 'c'",
        "revision = 'a1'\ndown_revision = 'b2'\ndel down_revision",
        "revision = 'a1'\ndown_revision = 'b2'\nif f(down_revision := 'c'): pass",
        "revision = 'a1'\ndown_revision = 'b2'\nif x:\n    x, down_revision = f()",
        "revision = 'a1'\ndown_revision = 'b2'\nif x:\n    down_revision: str = f()",
        "revision = 'a1'\ndown_revision = 'b2'\nwith f() as down_revision: pass",
        "revision = 'a1'\ndown_revision = 'b2'\nimport down_revision",
        "revision = 'a1'\ndown_revision = 'b2'\nfrom x import y as down_revision",
        "revision = 'a1'\ndown_revision = 'b2'\nfrom x import *",
        "revision = 'a1'\ndown_revision = 'b2'\ntry:\n    from x import *\nexcept E:\n    pass",
        "revision = 'a1'\ndown_revision = 'b2'\ndef down_revision(): pass",
        "revision = 'a1'\ndown_revision = 'b2'\nx = (down_revision := 'c3')",
        "revision = 'a1'\ndown_revision = 'b2'\ndef f():\n    global down_revision\n",
        "revision = 'a1'\n(x, down_revision) = f()",
        "revision = 'a1'\nx, down_revision = f()",
        "revision = 'a1'\ndown_revision = None\nfrom x import *"}) {
    EXPECT_NE(refusal(source), "") << source;
  }
}

TEST(RevisionFile, RefusesWhatIsNoRevisionFile) {
  EXPECT_EQ(refusal("x = 1"), "versions/a1.py: sets no `down_revision`, so it is no revision file");
  EXPECT_NE(refusal("revision = 'a1'").find("sets no `down_revision`"), std::string::npos);
  EXPECT_EQ(refusal("revision = 'a1\ndown_revision = None"),
            "versions/a1.py:1: a string is never closed");
  EXPECT_EQ(refusal("x = 1\nrevision = '''a1"), "versions/a1.py:2: a string is never closed");
  EXPECT_EQ(refusal("revision = ('a1'\n"), "versions/a1.py:2: `(` is never closed");
  EXPECT_EQ(refusal("revision = ('a1']\n"), "versions/a1.py:1: `]` closes nothing");
  EXPECT_NE(refusal(std::string("revision\0 = 'a1'", 16)).find("NUL byte"), std::string::npos);
  EXPECT_NE(refusal(std::string(100000, '(')), "");
  EXPECT_NE(refusal("revision = 'a1'\ndown_revision = " + std::string(1000, '(') + "'b'" +
                    std::string(1000, ')')),
            "");
}

TEST(RevisionFile, MayHaveItsRevisionInItsName) {
  const std::string source = "down_revision = None";
  EXPECT_EQ(read_revision_file("versions/72c1f0.py", source).revision, "72c1f0");
  EXPECT_THROW(read_revision_file("versions/72c1f0_notes.py", source), Unreadable);
  EXPECT_TRUE(is_revision_file("72c1f0_notes.py"));
  for (const char* name : {"__init__.py", ".#a1.py", "a1.pyc", "README", "py"}) {
    EXPECT_FALSE(is_revision_file(name)) << name;
  }
}

std::string message(const std::string& docstring) {
  return read(docstring + "\nrevision = 'a1'\ndown_revision = None\n").message;
}

TEST(RevisionFile, HasTheFirstParagraphOfItsDocstringForAMessage) {
  EXPECT_EQ(message("'add notes'"), "add notes");
  EXPECT_EQ(message("# a comment\n\n\"\"\"\n  add\n  notes\n\nmore\"\"\""), "add notes");
  EXPECT_EQ(message("\"\"\"add notes\r\n\r\nmore\"\"\""), "add notes");
  EXPECT_EQ(message("\"add \" 'notes'"), "add notes");
  EXPECT_EQ(message("\"\"\"\"quoted\" \\\"name\\\"\n\"\"\""), "\"quoted\" \"name\"");
  EXPECT_EQ(message("import x\n'no docstring'"), "");
  EXPECT_EQ(message("b'no docstring'"), "");
  EXPECT_EQ(message("'caf\xE9'"), "caf?");
  EXPECT_EQ(message("'caf\xC3\xA9'"), "caf\xC3\xA9");
  EXPECT_EQ(message("'" + std::string(5000, 'x') + "'").size(), 1003u);
}

// Whatever a file holds, it is read or refused. (Sanitizers watch.)
TEST(RevisionFile, SurvivesAnything) {
  const std::string source =
      "'''doc \\x41'''\nrevision: str = ('a'\n  \"1\")\ndown_revision = ['b\\u00e9', r'c']; x = "
      "{1}\n";
  EXPECT_EQ(refusal(source), "");
  for (std::size_t size = 0; size < source.size(); ++size) refusal(source.substr(0, size));
  EXPECT_TRUE(rc::check("any pieces of Python", [] {
    const auto pieces = *rc::gen::container<std::vector<std::string>>(rc::gen::element<std::string>(
        "revision", "down_revision", "=", ":=", "+=", ":", ",", ";", "(", ")", "[", "]", "{", "}",
        "'", "\"", "\"\"\"", "\\", "\n", "\r", "\t", " ", "    ", "#", "a", "1", "None", "+", ".",
        "*", "\xFF", "\\x4", "\\N", "rb", "f", "def ", "class ", "async ", "from ", "import ",
        "global ", "if ", "for ", "@"));
    std::string text;
    for (const std::string& piece : pieces) text += piece;
    refusal(text);
  }));
}

}  // namespace

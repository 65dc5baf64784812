#include "cli/serve/domain_records.hpp"

#include <atomic>
#include <gtest/gtest.h>
#include <thread>

#include "cli/serve/test_resolver.hpp"

namespace tfvm::serve {
namespace {

using hostcalls::LookupStatus;
using Status = DomainRecord::Status;
using std::chrono::seconds;

std::string told(const DomainRecord& record) {
  switch (record.status) {
    case Status::Found: return record.folder + " : " + record.path;
    case Status::None: return "none";
    case Status::Invalid: return "invalid";
    case Status::Failed: return "failed";
    default: return "busy";
  }
}

std::string parsed(const std::vector<std::string>& texts) { return told(parse_domain_record(texts)); }

TEST(DomainRecord, NamesAFolder) {
  EXPECT_EQ(parsed({"kbp=/keybase/private/alice,kbwasm/"}), "private/alice,kbwasm : ");
  EXPECT_EQ(parsed({"kbp=/keybase/private/alice,kbwasm"}), "private/alice,kbwasm : ");
  EXPECT_EQ(parsed({"kbp=/keybase/private/alice,kbwasm/sub"}), "private/alice,kbwasm : sub");
  EXPECT_EQ(parsed({"kbp=/keybase/public/alice/a//./b/"}), "public/alice : a/b");
  EXPECT_EQ(parsed({"kbp=/keybase/team/acme.web/site"}), "team/acme.web : site");
  EXPECT_EQ(parsed({"kbp=/keybase/private/strib#kb_bot/x"}), "private/strib#kb_bot : x");
  EXPECT_EQ(parsed({"kbp=/keybase/private/a@twitter,kbwasm/x y"}), "private/a@twitter,kbwasm : x y");
}

TEST(DomainRecord, MayHaveBlanksAndNeighbours) {
  EXPECT_EQ(parsed({"v=spf1 -all", "  kbp= /keybase/public/alice \t", "akbp=/keybase/public/bob"}), "public/alice : ");
  EXPECT_EQ(parsed({}), "none");
  EXPECT_EQ(parsed({"v=spf1 -all", "KBP=/keybase/public/alice"}), "none");
  EXPECT_EQ(parsed({"kbp="}), "none");
}

TEST(DomainRecord, MustBeOneAndWellFormed) {
  EXPECT_EQ(parsed({"kbp=/keybase/public/a", "kbp=/keybase/public/a"}), "invalid");
  for (const std::string text :
       {"kbp=git@keybase:private/alice,kbwasm/site", "kbp=/keybase/secret/alice", "kbp=keybase/public/alice",
        "kbp=/keybase/public", "kbp=/keybase/public/", "kbp=/keybase//public/alice", "kbp=/keybase/public//alice",
        "kbp=/keybase/public/../private/bob", "kbp=/keybase/public/..", "kbp=/keybase/public/alice/../bob",
        "kbp=/keybase/public/alice/x/../../..", "kbp=/keybase/public/.alice", "kbp=/keybase/public/alice/.git",
        "kbp=/etc", "kbp=/keybase/public/a\\b", "kbp=/keybase/./alice/x"})
    EXPECT_EQ(parsed({text}), "invalid") << text;
  EXPECT_EQ(parsed({std::string("kbp=/keybase/public/a\0b", 23)}), "invalid");
  EXPECT_EQ(parsed({"kbp=/keybase/public/" + std::string(256, 'a')}), "invalid");
}

class DomainRecordsTest : public testing::Test {
 protected:
  std::string find(const std::string& host) { return told(records_.find(host).record); }

  TestResolver resolver_;
  DomainRecords::Time now_{std::chrono::hours(1)};
  DomainRecords records_{resolver_, [this] { return now_; }};
};

TEST_F(DomainRecordsTest, TheSecondNameIsAskedOnlyIfTheFirstLookupFails) {
  resolver_.set("_keybase_pages.one.example", {"kbp=/keybase/public/one"});
  resolver_.set("_keybasepages.one.example", {"kbp=/keybase/public/wrong"});
  resolver_.set("_keybasepages.two.example", {"kbp=/keybase/public/two"});
  resolver_.set("_keybase_pages.three.example", {"unrelated"});
  resolver_.set("_keybasepages.three.example", {"kbp=/keybase/public/wrong"});
  EXPECT_EQ(find("one.example"), "public/one : ");
  EXPECT_EQ(find("two.example"), "public/two : ");
  EXPECT_EQ(find("three.example"), "none");
  EXPECT_EQ(find("none.example"), "none");
}

TEST_F(DomainRecordsTest, AFailureIsToldFromAnEmptyAnswer) {
  resolver_.fail("_keybase_pages.a.example", LookupStatus::TimedOut);
  resolver_.fail("_keybase_pages.b.example", LookupStatus::ServerFailed);
  resolver_.set("_keybasepages.b.example", {"kbp=/keybase/public/b"});
  resolver_.fail("_keybase_pages.c.example", LookupStatus::NoData);
  EXPECT_EQ(find("a.example"), "failed");
  EXPECT_EQ(find("b.example"), "public/b : ");
  EXPECT_EQ(find("c.example"), "none");
}

TEST_F(DomainRecordsTest, AnswersAreRememberedForTenSeconds) {
  resolver_.set("_keybase_pages.a.example", {"kbp=/keybase/public/one"});
  EXPECT_EQ(find("a.example"), "public/one : ");
  EXPECT_EQ(records_.find("a.example").valid_until, now_ + seconds(10));
  resolver_.set("_keybase_pages.a.example", {"kbp=/keybase/public/two"});
  now_ += std::chrono::milliseconds(9'999);
  EXPECT_EQ(find("a.example"), "public/one : ");
  EXPECT_EQ(resolver_.lookups(), 1u);
  now_ += std::chrono::milliseconds(1);
  EXPECT_EQ(find("a.example"), "public/two : ");
  EXPECT_EQ(find("none.example"), "none");
  EXPECT_EQ(find("none.example"), "none");
  EXPECT_EQ(resolver_.lookups(), 4u) << "that there is nothing is remembered too";
}

TEST_F(DomainRecordsTest, WhatIsRememberedIsBounded) {
  for (std::size_t i = 0; i <= DomainRecords::max_remembered; ++i) find("h" + std::to_string(i) + ".example");
  const unsigned before = resolver_.lookups();
  find("h" + std::to_string(DomainRecords::max_remembered) + ".example");
  EXPECT_EQ(resolver_.lookups(), before);
  find("h0.example");
  EXPECT_GT(resolver_.lookups(), before);
}

TEST_F(DomainRecordsTest, OneDomainIsLookedUpOnceAtATime) {
  resolver_.set("_keybase_pages.a.example", {"kbp=/keybase/public/a"});
  resolver_.hold();
  std::vector<std::thread> threads;
  std::atomic<unsigned> found{0};
  for (int i = 0; i < 8; ++i)
    threads.emplace_back([&] {
      if (find("a.example") == "public/a : ") ++found;
    });
  resolver_.wait_until_asked();
  resolver_.release();
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(found, 8u);
  EXPECT_EQ(resolver_.lookups(), 1u);
}

TEST_F(DomainRecordsTest, LookupsAtOnceAreBounded) {
  resolver_.hold();
  std::vector<std::thread> threads;
  for (unsigned i = 0; i < DomainRecords::max_lookups; ++i)
    threads.emplace_back([this, i] { find("h" + std::to_string(i) + ".example"); });
  resolver_.wait_until_asked(DomainRecords::max_lookups);
  EXPECT_EQ(find("more.example"), "busy");
  resolver_.release();
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(find("more.example"), "none");
}

}  // namespace
}  // namespace tfvm::serve

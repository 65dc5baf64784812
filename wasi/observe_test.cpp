// Reports of refusals: told where another configuration would have helped, and only there.
#include "wasi/observe.hpp"

#include <gtest/gtest.h>

#include "wasi/test_directory.hpp"
#include "wasi/test_guest.hpp"

namespace tfvm::wasi {
namespace {

using Reason = Refusal::Reason;

class ObserveTest : public testing::Test {
 protected:
  void SetUp() override {
    host_.make_directory("rw");
    host_.make_directory("ro");
    host_.write("ro/file", "text");
    host_.link("../ro", "rw/escape");
  }
  void start(std::vector<Preopen> preopens, std::uint32_t max_open = 1024) {
    WasiConfig config;
    config.preopens = std::move(preopens);
    config.max_open_fds = max_open;
    config.on_refusal = [this](const Refusal& refusal) { refusals_.push_back(refusal); };
    guest_ = std::make_unique<TestGuest>(std::move(config));
  }
  void start() { start({{host_ / "rw", "/rw", false}, {host_ / "ro", "/ro", true}}); }

  TestDirectory host_;
  std::vector<Refusal> refusals_;
  std::unique_ptr<TestGuest> guest_;
};

TEST_F(ObserveTest, PathsThatLeadOut) {
  start();
  for (const std::string path : {"../x", "/etc/passwd", "escape/x"}) {
    refusals_.clear();
    EXPECT_EQ(guest_->call_path("path_create_directory", 3, path), Errno::Notcapable);
    ASSERT_EQ(refusals_.size(), 1u) << path;
    EXPECT_EQ(refusals_[0].reason, Reason::Outside);
    EXPECT_EQ(refusals_[0].function, "path_create_directory");
    EXPECT_EQ(refusals_[0].path, path);
    EXPECT_EQ(refusals_[0].directory, "/rw");
  }
}

TEST_F(ObserveTest, ChangesOfWhatIsOnlyForReading) {
  start();
  EXPECT_EQ(guest_->call_path("path_unlink_file", 4, "file"), Errno::Rofs);
  ASSERT_EQ(refusals_.size(), 1u);
  EXPECT_EQ(refusals_[0].reason, Reason::ReadOnly);
  EXPECT_EQ(refusals_[0].path, "file");
  EXPECT_EQ(refusals_[0].directory, "/ro");
  Fd file;
  ASSERT_EQ(guest_->open(4, "file", 0, rights::fd_read, 0, &file), Errno::Success);
  EXPECT_EQ(guest_->write(file, "x"), Errno::Rofs);
  ASSERT_EQ(refusals_.size(), 2u);
  EXPECT_EQ(refusals_[1].reason, Reason::ReadOnly);
  EXPECT_EQ(refusals_[1].function, "fd_write");
  EXPECT_EQ(refusals_[1].directory, "");
}

TEST_F(ObserveTest, LookingForDirectoriesWithoutAny) {
  start({});
  EXPECT_EQ(guest_->call("fd_prestat_get", 3, 0), Errno::Badf);
  ASSERT_EQ(refusals_.size(), 1u);
  EXPECT_EQ(refusals_[0].reason, Reason::NoDirectories);
  EXPECT_EQ(guest_->call("sock_accept", 3, 0, 0), Errno::Badf);
  ASSERT_EQ(refusals_.size(), 2u);
  EXPECT_EQ(refusals_[1].reason, Reason::NoSockets);
}

TEST_F(ObserveTest, TooManyOpenDescriptors) {
  start({{host_ / "rw", "/rw", false}}, 5);
  guest_->open(3, "a", open_flags::creat);
  Fd file;
  EXPECT_EQ(guest_->open(3, "b", open_flags::creat, rights::fd_read, 0, &file), Errno::Mfile);
  ASSERT_EQ(refusals_.size(), 1u);
  EXPECT_EQ(refusals_[0].reason, Reason::TooManyOpen);
}

TEST_F(ObserveTest, WhatNoConfigurationWouldGrantIsNotTold) {
  start();
  EXPECT_EQ(guest_->call("fd_prestat_get", 5, 0), Errno::Badf);  // the end of the directories
  EXPECT_EQ(guest_->call("fd_fdstat_set_rights", 3, rights::path_open, 0), Errno::Success);
  EXPECT_EQ(guest_->call_path("path_create_directory", 3, "x"), Errno::Notcapable);  // given up by the guest
  EXPECT_EQ(guest_->call_path("path_unlink_file", 3, "missing"), Errno::Notcapable);
  EXPECT_EQ(guest_->call("fd_close", 99), Errno::Badf);
  EXPECT_TRUE(refusals_.empty());
}

}  // namespace
}  // namespace tfvm::wasi

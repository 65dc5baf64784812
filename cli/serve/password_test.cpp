#include "cli/serve/password.hpp"

#include <gtest/gtest.h>

namespace tfvm::serve {
namespace {

using std::chrono::milliseconds;

// bcrypt of "secret" with cost 4
constexpr std::string_view bcrypt_secret = "$2a$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW";
// sha256 of the salt and "secret"
constexpr std::string_view sha256_secret =
    "sha256:249704a205894bb003b9f82a:a75dddc96b9fdd3491cc8b3ebe74cc03bd26d925706b6d1c9a87fcebaa35bdf9";

Authentication check(Password& password, std::string_view text) {
  RateLimit free(milliseconds(0));
  return password.check(text, free);
}

TEST(Password, Sha256WithSalt) {
  const auto password = Password::parse(sha256_secret);
  ASSERT_TRUE(password);
  EXPECT_EQ(check(*password, "secret"), Authentication::Yes);
  EXPECT_EQ(check(*password, "Secret"), Authentication::No);
  EXPECT_EQ(check(*password, ""), Authentication::No);
}

TEST(Password, Bcrypt) {
  const auto password = Password::parse(bcrypt_secret);
  ASSERT_TRUE(password);
  EXPECT_EQ(check(*password, "wrong"), Authentication::No);
  EXPECT_EQ(check(*password, "secret"), Authentication::Yes);
  EXPECT_EQ(check(*password, std::string_view("secret\0x", 8)), Authentication::No);
  EXPECT_EQ(check(*password, "wrong"), Authentication::No);
}

TEST(Password, BcryptRunsSeldomAndTheRightOneIsRemembered) {
  const auto password = Password::parse(bcrypt_secret);
  RateLimit limit(std::chrono::hours(1));
  EXPECT_EQ(password->check("wrong", limit), Authentication::No);
  EXPECT_EQ(password->check("secret", limit), Authentication::TryLater);
  RateLimit other(std::chrono::hours(1));
  EXPECT_EQ(password->check("secret", other), Authentication::Yes);
  EXPECT_EQ(password->check("secret", other), Authentication::Yes) << "without bcrypt";
  EXPECT_EQ(password->check("wrong", other), Authentication::No) << "without bcrypt";
}

TEST(Password, RefusesWhatIsNoHash) {
  EXPECT_FALSE(Password::parse(""));
  EXPECT_FALSE(Password::parse("secret"));
  EXPECT_FALSE(Password::parse("$1$abc$def"));
  EXPECT_FALSE(Password::parse("sha256:"));
  EXPECT_FALSE(Password::parse(sha256_secret.substr(0, sha256_secret.size() - 1)));
  EXPECT_FALSE(Password::parse(std::string(sha256_secret.substr(0, sha256_secret.size() - 1)) + 'g'));
  EXPECT_FALSE(Password::parse(bcrypt_secret.substr(0, 59)));
  for (const std::string_view cost : {"03", "13", "31", "xx"}) {
    std::string hash(bcrypt_secret);
    hash.replace(4, 2, cost);
    EXPECT_FALSE(Password::parse(hash)) << cost;
  }
}

TEST(RateLimit, AllowsOneInEachInterval) {
  RateLimit limit(milliseconds(500));
  const RateLimit::Time start{std::chrono::hours(1)};
  EXPECT_TRUE(limit.allows(start));
  EXPECT_FALSE(limit.allows(start + milliseconds(499)));
  EXPECT_TRUE(limit.allows(start + milliseconds(500)));
  EXPECT_FALSE(limit.allows(start + milliseconds(999)));
}

TEST(BasicCredentials, AreUserAndPassword) {
  const auto credentials = [](std::string_view field) {
    const auto parsed = parse_basic_credentials(field);
    return parsed ? parsed->user + " | " + parsed->password : "none";
  };
  EXPECT_EQ(credentials("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="), "Aladdin | open sesame");
  EXPECT_EQ(credentials("bAsIc   QWxhZGRpbjpvcGVuIHNlc2FtZQ"), "Aladdin | open sesame");
  EXPECT_EQ(credentials("Basic YTpiOmM="), "a | b:c");
  EXPECT_EQ(credentials("Basic Og=="), " | ");
  for (const std::string_view field :
       {"", "Basic", "Basic ", "Bearer YTpi", "Basic !!!!", "Basic YQ==", "Basic Y", "BasicYTpi"})
    EXPECT_EQ(credentials(field), "none") << field;
}

}  // namespace
}  // namespace tfvm::serve

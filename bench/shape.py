"""How much data there is, and what is asked of it: the same for both sides."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

__all__ = ["Shape", "Question", "Login", "PASSWORD", "everyday_questions", "all_pairs"]

# (user_id, organization_id, local_id, whether the answer must be yes)
Question: TypeAlias = tuple[str, str, str, bool]
# (organization_id, email)
Login: TypeAlias = tuple[str, str]

SEED = 7
# Of everyone who has one.
PASSWORD = "a password for measuring"  # noqa: S105 # of made-up users
# Enough for logins in turn; one each would make building large data longer.
PASSWORDS_EACH_MAX = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """Users are numbered through all organizations, and each holds `held_each` of its locals.

    Ids are short and in the order of their numbers: large data is built in the order of its keys.
    """

    organizations: int
    users_each: int
    locals_each: int = 100
    held_each: int = 10

    @property
    def users(self) -> int:
        return self.organizations * self.users_each

    @property
    def assignments(self) -> int:
        return self.users * self.held_each

    def organization_id(self, organization: int) -> str:
        return f"o{organization:04}"

    def local_id(self, organization: int, local: int) -> str:
        return f"l{organization * self.locals_each + local:06}"

    def local_name(self, organization: int, local: int) -> str:
        return f"Local {local} of {organization}"

    def user_id(self, user: int) -> str:
        return f"u{user:07}"

    def email(self, user: int) -> str:
        return f"{user}@chain.test"

    def with_password(self, organization: int) -> range:
        """Those of the organization's users who can log in."""
        first = organization * self.users_each
        return range(first, first + min(self.users_each, PASSWORDS_EACH_MAX))

    def logins(self) -> Iterator[Login]:
        for organization in range(self.organizations):
            for user in self.with_password(organization):
                yield self.organization_id(organization), self.email(user)

    def assigned(self, user: int) -> Iterator[tuple[str, str, str, str]]:
        """(user_id, organization_id, local_id, local's name) of each local this user may enter."""
        organization = user // self.users_each
        for nth in range(self.held_each):
            local = self._local(user, nth)
            yield (
                self.user_id(user),
                self.organization_id(organization),
                self.local_id(organization, local),
                self.local_name(organization, local),
            )

    def question(self, user: int, nth: int) -> Question:
        """The first `held_each` of a user's questions are answered yes, the others no."""
        organization = user // self.users_each
        return (
            self.user_id(user),
            self.organization_id(organization),
            self.local_id(organization, self._local(user, nth)),
            nth < self.held_each,
        )

    def _local(self, user: int, nth: int) -> int:
        return (user * self.held_each + nth) % self.locals_each


def everyday_questions(shape: Shape) -> list[Question]:
    """Each assignment once, one denial for each user, in an order without any."""
    return _shuffled(shape, per_user=shape.held_each + 1)


def all_pairs(shape: Shape) -> list[Question]:
    """Each user about each local of the organization: many more than a cache is allowed to keep."""
    return _shuffled(shape, per_user=shape.locals_each)


def _shuffled(shape: Shape, *, per_user: int) -> list[Question]:
    questions = [
        shape.question(user, nth) for user in range(shape.users) for nth in range(per_user)
    ]
    random.Random(SEED).shuffle(questions)  # noqa: S311 # an order, not a secret
    return questions

"""Days as people mean them, in their own time zone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from typing import Final

_DAY: Final = timedelta(days=1)
_SATURDAY: Final = 5


@dataclass(frozen=True, slots=True)
class Days:
    """From `first` to `last`, both of them too. `sure`: somebody named the day or the month of what they mean, rather
    than since when they wait or how far back one should look."""

    first: date
    last: date
    sure: bool = True

    def hold(self, day: date) -> bool:
        """Whether this day is one of them."""
        return self.first <= day <= self.last

    @property
    def one(self) -> bool:
        """Whether it is a single day."""
        return self.first == self.last

    @property
    def about(self) -> Days:
        """A single day, widened to the days before on which a payment is made that a bank shows on it, and to the next,
        where somebody's zone is not the bank's. More days, and those that are not sure, are left as they are."""
        return Days(self.first - 3 * _DAY, self.last + _DAY) if self.one and self.sure else self


def day_of(moment: datetime, zone: tzinfo) -> date:
    """The day that it was or is in this zone."""
    return moment.astimezone(zone).date()


def business_days_after(day: date, number: int) -> date:
    """The day that so many business days have passed since `day`. Saturdays and Sundays are none; bank holidays are
    counted, since whose they would be is not known."""
    left = number
    while left > 0:
        day += _DAY
        left -= day.weekday() < _SATURDAY
    return day

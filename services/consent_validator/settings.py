"""Settings of the consent validator: what the law leaves open, each with its cautious default."""

from __future__ import annotations

from datetime import date, timedelta

from pydantic import Field

from services.consent_validator.rules.model import CALL_CONSENT, RuleSettings
from shared.registry.balance import INVALID_FROM, REVIEW_FROM
from shared.settings import Settings


class ValidatorSettings(Settings):
    """Environment prefix `OPPOSABLE_`, as everywhere. What each means: `RuleSettings`."""

    rules_free_account_is_sale: bool = False
    rules_tracker_months: int = Field(default=6, ge=1, le=13)
    rules_retention_months: int = Field(default=36, ge=1, le=60)
    rules_housing_calls_banned_from: date = CALL_CONSENT
    rules_late_after_hours: float = Field(default=24.0, gt=0)
    rules_unbalanced_review: int = Field(default=REVIEW_FROM, ge=0, le=100)
    rules_unbalanced_invalid: int = Field(default=INVALID_FROM, ge=0, le=100)

    @property
    def rule_settings(self) -> RuleSettings:
        """As the rules take them."""
        return RuleSettings(
            free_account_is_sale=self.rules_free_account_is_sale,
            tracker_months=self.rules_tracker_months,
            retention_months=self.rules_retention_months,
            housing_calls_banned_from=self.rules_housing_calls_banned_from,
            late_after=timedelta(hours=self.rules_late_after_hours),
            unbalanced_review=self.rules_unbalanced_review,
            unbalanced_invalid=self.rules_unbalanced_invalid,
        )

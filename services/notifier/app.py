"""Wiring of the notifier; no logic."""

from __future__ import annotations

import ssl
from datetime import timedelta

from services.notifier.api import Api
from services.notifier.handlers import Handlers
from services.notifier.outbox import Outbox
from services.notifier.sending import Sender
from services.notifier.settings import NotifierSettings
from services.notifier.transports.files import LetterFiles, MailFiles, SmsFiles
from services.notifier.transports.port import Transport
from services.notifier.transports.sms import SmsGateway
from services.notifier.transports.smtp import Smtp
from services.notifier.watching import Watch
from shared.auth import Authenticator, operator_digest
from shared.errors import ConfigurationError
from shared.keyring.ring import Ring
from shared.service import Context, run_service
from shared.topics import MESSAGES
from shared.vault import Vault


async def build(context: Context) -> None:
    """Wire the notifier into a context."""
    settings = context.settings
    assert isinstance(settings, NotifierSettings)  # noqa: S101 - wiring, not input
    outbox = Outbox(context.mongo)
    give_up = timedelta(seconds=settings.notifier_give_up_after)
    sender = Sender(
        outbox=outbox, keys=Vault(context.mongo, Ring(settings.secrets_dir, "kek")),
        transports=transports(settings), clock=context.clock, every=timedelta(seconds=settings.notifier_sweep_every),
        first_retry=timedelta(seconds=settings.notifier_retry_first), give_up=give_up,
        timeout=settings.notifier_send_timeout, metrics=context.metrics, log=context.log,
    )  # fmt: skip
    context.on_start(outbox.prepare)
    context.consume(
        topics=[MESSAGES.name], group="notifier", process=Handlers(outbox, context.dead_all).messages, max_records=50
    )
    context.background("sending", sender.run)
    context.background("watching", Watch(outbox, settings.files_dir, context.metrics, context.log).run)
    auth = Authenticator(context.registry, context.clock, operator_digest(settings.secrets_dir))
    api = Api(auth=auth, outbox=outbox, clock=context.clock, give_up=give_up, deployment=settings.deployment)
    context.app.include_router(api.router())


def transports(settings: NotifierSettings) -> dict[str, Transport]:
    """The transport of each channel, as the settings say."""
    folder = settings.files_dir
    return {
        "email": _mail(settings) or MailFiles(folder, settings.sender, settings.deployment),
        "sms": _sms(settings) or SmsFiles(folder),
        "letter": LetterFiles(folder, settings.notifier_return_address),
    }


def _mail(settings: NotifierSettings) -> Smtp | None:
    if not settings.notifier_smtp_host:
        return None
    user = settings.notifier_smtp_username or None
    ca_file = settings.notifier_smtp_ca_file
    return Smtp(
        host=settings.notifier_smtp_host, port=settings.notifier_smtp_port, tls=settings.notifier_smtp_tls,
        username=user, password=None if user is None else _text_secret(settings, "smtp-password"),
        sender=settings.sender, bounces=settings.notifier_bounces, deployment=settings.deployment,
        timeout=settings.notifier_send_timeout,
        context=None if ca_file is None else ssl.create_default_context(cafile=str(ca_file)),
    )  # fmt: skip


def _sms(settings: NotifierSettings) -> SmsGateway | None:
    if not settings.notifier_sms_url:
        return None
    return SmsGateway(settings.notifier_sms_url, _text_secret(settings, "sms-token"), settings.notifier_send_timeout)


def _text_secret(settings: NotifierSettings, name: str) -> str:
    try:
        return (settings.secrets_dir / name).read_text().strip()
    except OSError:
        raise ConfigurationError(f"secret file {name!r} is missing in OPPOSABLE_SECRETS_DIR") from None


def main() -> None:
    """Run the notifier."""
    run_service("notifier", NotifierSettings(), build)

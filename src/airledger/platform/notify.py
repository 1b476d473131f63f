"""Telling people: mail by SMTP, and the services that the operator configured, which apprise speaks to.

apprise dials what its address says, past the guard on private networks (`platform/guard.py`), and some of its schemes
run programs. So its addresses come from `airledger.toml` alone (`alert_urls`), never from an account.
"""

import smtplib
import ssl
from collections.abc import Sequence
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime

from airledger.platform.errors import ConfigurationError, NotFoundError, UnavailableError
from airledger.platform.settings import Settings

TIMEOUT_S = 20.0
TLS, STARTTLS = "tls", "starttls"


class Notifier:
    """Sends what others wrote. Thread-safe: every message has a connection of its own."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    @property
    def has_mail(self) -> bool:
        """Whether a mail server is configured."""
        return bool(self._settings.smtp_host)

    @property
    def operator_names(self) -> list[str]:
        """Names of the services in `alert_urls`."""
        return [one.name for one in self._settings.alert_urls]

    def mail(self, to: Sequence[str], subject: str, text: str, *, identity: str, at: datetime) -> None:
        """Send a mail.

        Args:
            to: Mailboxes.
            subject: One line.
            text: The body.
            identity: Makes the Message-ID: the same mail sent again can be told by it.
            at: Its date.

        Raises:
            ConfigurationError: No mail server is configured, or it refuses us for good.
            UnavailableError: It does not answer, or says that it may later.
        """
        settings = self._settings
        if not self.has_mail:
            raise ConfigurationError("no mail server is configured: set smtp_host in airledger.toml")
        message = EmailMessage()
        message["From"], message["To"], message["Subject"] = settings.mail_from, ", ".join(to), subject
        message["Date"], message["Message-ID"] = format_datetime(at), f"<{identity}@{_domain(settings.mail_from)}>"
        message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no out-of-office notes back
        message.set_content(text)
        try:
            with self._connected() as server:
                server.send_message(message)
        except smtplib.SMTPResponseException as error:
            raise _told(error.smtp_code, _words(error.smtp_error)) from error
        except smtplib.SMTPRecipientsRefused as error:
            code, words = next(iter(error.recipients.values()))
            raise _told(code, _words(words)) from error
        except (OSError, smtplib.SMTPException) as error:
            raise UnavailableError(f"the mail server cannot be reached: {error}") from error

    def operator(self, name: str, subject: str, text: str) -> None:
        """Send through a service of `alert_urls`.

        Raises:
            NotFoundError: There is none of this name any more.
            ConfigurationError: Its address is none that apprise knows.
            UnavailableError: It did not take the message.
        """
        urls = {one.name: one.url.get_secret_value() for one in self._settings.alert_urls}
        if name not in urls:
            raise NotFoundError(f"airledger.toml names no alert_urls entry {name!r}")
        import apprise

        service = apprise.Apprise()
        if not service.add(urls[name]):
            raise ConfigurationError(f"the address of alert_urls entry {name!r} is none that apprise knows")
        if not service.notify(title=subject, body=text, body_format=apprise.NotifyFormat.TEXT):
            raise UnavailableError(f"the service {name!r} did not take the message")

    def _connected(self) -> smtplib.SMTP:
        settings = self._settings
        if settings.smtp_security == TLS:
            context = ssl.create_default_context()
            server: smtplib.SMTP = smtplib.SMTP_SSL(
                settings.smtp_host, settings.smtp_port, timeout=TIMEOUT_S, context=context
            )
        else:
            server = smtplib.SMTP(settings.smtp_host, settings.smtp_port, timeout=TIMEOUT_S)
        try:
            if settings.smtp_security == STARTTLS:
                server.starttls(context=ssl.create_default_context())
            if settings.smtp_user:
                server.login(settings.smtp_user, settings.smtp_password.get_secret_value())
        except BaseException:
            server.close()
            raise
        return server


def _told(code: int, words: str) -> ConfigurationError | UnavailableError:
    """Read a server's refusal: 5xx is for good, the rest may pass (RFC 5321, 4.2.1)."""
    if code >= 500:  # noqa: PLR2004  permanent
        return ConfigurationError(f"the mail server refuses: {code} {words}")
    return UnavailableError(f"the mail server asks to wait: {code} {words}")


def _words(reply: bytes | str) -> str:
    return (reply.decode("utf-8", "replace") if isinstance(reply, bytes) else reply)[:500]


def _domain(mailbox: str) -> str:
    return mailbox.rpartition("@")[2].rstrip("> ") or "localhost"

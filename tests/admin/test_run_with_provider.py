"""“Run user flow” with a provider instead of a code: the tokens say which, and nobody's account is touched."""

from collections.abc import Callable

from django.test import Client

from directory.models import Identity, IdentityProvider, User
from tests.admin.conftest import Furnished
from tests.admin.test_run_user_flow import MAIL, claims_on, runner_of, start
from tests.userflows.joining import come_back, give_identity, make_guest, told_by

MakeProvider = Callable[..., IdentityProvider]


def test_shows_what_the_provider_led_to(browser: Client, ours: Furnished, make_provider: MakeProvider) -> None:
    google = make_provider(ours.tenant, "Google", name="Google")
    runner = runner_of(browser).open(start(browser, ours))
    come_back(runner, google, told_by(google, mail=MAIL))
    runner.submit(GivenName="Amina", **{ours.attribute.name: "Blue"})
    claims = claims_on(runner.html.replace("&quot;", '"'), "id-token")
    assert (claims["idp"], claims["amr"], claims["email"]) == ("google.com", '["fed"]', MAIL)
    assert User.objects.get(mail=MAIL).is_test


def test_asks_nobody_to_join_anything(browser: Client, ours: Furnished, make_provider: MakeProvider) -> None:
    google = make_provider(ours.tenant, "Google", name="Google")
    owner = make_guest(ours.tenant, mail=MAIL)
    give_identity(owner)
    runner = runner_of(browser).open(start(browser, ours))
    come_back(runner, google, told_by(google, mail=MAIL))
    assert runner.page.status_code == 409
    assert "This address has an account already" in runner.html
    assert list(Identity.objects.filter(user=owner).values_list("issuer", flat=True)) == ["mail"]

"""The first page: who are you? One e-mail box, and the providers that the flow offers."""

from django.http import HttpResponse

from directory.models import EMAIL_CODE, IdentityProvider
from userflows import sign_in_log
from userflows.forms import EmailForm
from userflows.home_realm import direct_way, typed_way
from userflows.journey import sign_up_refusal
from userflows.last_used import last_way
from userflows.mail_code import attempts_to_send, send_code
from userflows.models import Journey, Reached
from userflows.passkey_way import note_browser, options_for, passkey_among
from userflows.rate_limit import Attempts
from userflows.requests import TenantRequest
from userflows.steps.page import step_page
from userflows.ways import around_mail, federated, named, open_ways, take_way, way_by_mail

NAME = "choose"


def is_done(journey: Journey) -> bool:
    """Also when there is nothing to choose, or somebody has said already where the person belongs."""
    facts = journey.facts
    return bool(facts.get("way") or facts.get("proofs")) or direct_way(journey) is not None


def show(request: TenantRequest, journey: Journey) -> HttpResponse:
    facts = journey.facts
    form = EmailForm(initial={"email": facts.get("mail") or facts.get("login_hint", "")})
    return page_with(request, journey, form, ways=open_ways(journey))


def attempts(request: TenantRequest, journey: Journey) -> Attempts:
    """A code is mailed to the typed address, unless it is proven another way."""
    form, ways = EmailForm(request.POST), open_ways(journey)
    by_mail = way_by_mail(ways)
    if _chosen(request, ways) or by_mail is None or by_mail.kind != EMAIL_CODE or not form.is_valid():
        return ()
    mail = form.cleaned_data["email"]
    return () if typed_way(journey, mail) else attempts_to_send(request, mail)


def submit(request: TenantRequest, journey: Journey) -> HttpResponse | None:
    ways = open_ways(journey)
    note_browser(journey, request.POST)
    if journey.tenant.keep_signed_in_days:
        journey.learn(keep_signed_in="keep_signed_in" in request.POST)
    chosen = _chosen(request, ways)
    if chosen is not None:
        _leave_for(journey, chosen)
        return None
    form = EmailForm(request.POST)
    by_mail = way_by_mail(ways)
    if not form.is_valid() or by_mail is None:
        return page_with(request, journey, form, ways=ways)
    mail = form.cleaned_data["email"]
    # Told to the provider that is chosen, so that nobody types it twice. It proves nothing.
    journey.learn(login_hint=mail)
    home = typed_way(journey, mail)
    if home is not None:
        _leave_for(journey, home)
        return None
    journey.learn(mail=mail, codes_sent=0)
    take_way(journey, by_mail)
    if by_mail.kind == EMAIL_CODE:
        send_code(journey)
    sign_in_log.note(journey, NAME, reached=Reached.ADDRESS_GIVEN)
    return None


def _chosen(request: TenantRequest, ways: list[IdentityProvider]) -> IdentityProvider | None:
    return next((way for way in federated(ways) if str(way.pk) == request.POST.get("way")), None)


def _leave_for(journey: Journey, provider: IdentityProvider) -> None:
    take_way(journey, provider)
    sign_in_log.note(journey, NAME, reached=Reached.ADDRESS_GIVEN, provider=provider.name)


def page_with(
    request: TenantRequest, journey: Journey, form: EmailForm, *, ways: list[IdentityProvider]
) -> HttpResponse:
    passkey_options = options_for(journey, ways)
    if passkey_options:
        # HTML, autofill: "webauthn" has the browser offer passkeys where it offers addresses.
        form.fields["email"].widget.attrs["autocomplete"] = "username webauthn"
    by_mail = way_by_mail(ways)
    if by_mail and by_mail.kind != EMAIL_CODE:
        # No code is sent before the person has seen the next page.
        form.fields["email"].help_text = ""
    before, after = around_mail(ways)
    names = dict(named(federated(ways)))
    keeps = journey.tenant.keep_signed_in_days
    return step_page(
        request,
        "userflows/choose.html",
        journey,
        step_number=1,
        form=form if by_mail else None,
        by_mail=by_mail,
        providers_before=[(provider, names[provider]) for provider in before],
        providers_after=[(provider, names[provider]) for provider in after],
        last_way=last_way(request),
        keep_signed_in_days=keeps,
        keeps_signed_in=journey.facts.get("keep_signed_in", False) if keeps else False,
        heading=journey.definition["heading"],
        introduction=journey.definition["introduction"],
        sign_up_allowed=not sign_up_refusal(journey),
        passkey=passkey_among(ways),
        passkey_options=passkey_options,
    )

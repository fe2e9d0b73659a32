"""Changing how one signs in: the address, the password, the linked accounts."""

import uuid

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from directory.models import EMAIL_CODE, EMAIL_PASSWORD, Identity, IdentityProvider, User
from directory.models.identity import MAIL_ISSUER
from userflows.account.done import note_removed, was_removed
from userflows.account.sign_in import begin_journey, freshly_signed_in, signed_in
from userflows.account.ways import LastWay, PasswordStays, drop_password, remove_identity, ways_in
from userflows.browser import remember_browser
from userflows.change_address import (
    LENGTH,
    SESSION_KEY,
    address_in_change,
    begin_address_change,
    count_address_change,
    finish_address_change,
)
from userflows.forms import CodeForm, EmailForm
from userflows.mail_code import CodeCheck, attempts_to_send, send_code
from userflows.rate_limit import count_attempt
from userflows.requests import TenantRequest
from userflows.sign_in import stay_signed_in

METHODS = ["GET", "HEAD", "POST"]


@require_http_methods(METHODS)
@freshly_signed_in
def remove_way(request: TenantRequest, user: User, identity_id: uuid.UUID) -> HttpResponse:
    if request.method == "POST" and was_removed(request, identity_id):
        return redirect("account")
    way = next((way for way in ways_in(user) if way.id == identity_id), None)
    if way is None:
        raise Http404("There is no such way to sign in.")
    if request.method == "POST":
        try:
            remove_identity(user, identity_id)
        except LastWay:
            messages.error(request, _("This is your only way to sign in. Add another one first, then remove it."))
        except PasswordStays:
            messages.error(request, _("Your password goes with your email address. Remove the password first."))
        else:
            note_removed(request, identity_id)
            messages.success(request, _("It is removed: nobody signs in with it any more."))
        return redirect("account")
    return render(request, "userflows/account/remove_way.html", {"way": way})


# The password


@require_http_methods(METHODS)
@signed_in
def password(request: TenantRequest, user: User) -> HttpResponse:
    """A code proves the mailbox, then a password is chosen: the pages are those of everybody who forgot theirs."""
    provider = IdentityProvider.objects.filter(tenant=request.tenant, kind=EMAIL_PASSWORD, is_enabled=True).first()
    owns_address = Identity.objects.filter(
        tenant=request.tenant, user=user, issuer=MAIL_ISSUER, issuer_assigned_id=user.mail.lower()
    )
    if provider is None or not owns_address.exists():
        raise Http404("There are no passwords here.")
    if request.method != "POST":
        page = {"person": user, "has_password": user.has_usable_password()}
        return render(request, "userflows/account/password.html", page)
    count_attempt(*attempts_to_send(request, user.mail))
    journey, browser = begin_journey(request, back=f"{reverse('account')}?signed_in=1")
    # What is typed first is a code, whichever way it belongs to.
    journey.learn(mail=user.mail, way={"id": str(provider.pk), "kind": EMAIL_CODE}, wants_password=True, codes_sent=0)
    send_code(journey)
    journey.save()
    response = redirect("journey-resume", journey.pk)
    remember_browser(response, browser, path=f"/{request.tenant.slug}/")
    return response


@require_http_methods(METHODS)
@freshly_signed_in
def remove_password(request: TenantRequest, user: User) -> HttpResponse:
    if request.method == "POST":
        if drop_password(user):
            stay_signed_in(request, user)
            messages.success(request, _("Your password is removed. You are signed out everywhere else."))
        return redirect("account")
    if not user.has_usable_password():
        raise Http404("There is no password.")
    return render(request, "userflows/account/remove_password.html", {"is_member": not user.is_guest})


# The address


@require_http_methods(METHODS)
@freshly_signed_in
def address(request: TenantRequest, user: User) -> HttpResponse:
    form = EmailForm()
    if request.method == "POST":
        form = EmailForm(request.POST)
        if form.is_valid() and form.cleaned_data["email"] == user.mail:
            form.add_error("email", _("This is your address already."))
        if form.is_valid():
            count_address_change(request, user, form.cleaned_data["email"])
            request.session[SESSION_KEY] = begin_address_change(user, form.cleaned_data["email"])
            return redirect("account-address-code")
    return render(request, "userflows/account/address.html", {"form": form, "person": user})


@require_http_methods(METHODS)
@freshly_signed_in
def address_code(request: TenantRequest, user: User) -> HttpResponse:
    """Raises MailInUse for who has proven the mailbox of somebody else's account."""
    new_mail = address_in_change(request, user)
    if not new_mail:
        return redirect("account")
    form = CodeForm(length=LENGTH)
    if request.method == "POST":
        form = CodeForm(request.POST, length=LENGTH)
        if form.is_valid():
            result = finish_address_change(request, user, form.cleaned_data["code"])
            if result is CodeCheck.RIGHT:
                messages.success(request, _("Your address is changed. You are signed out everywhere else."))
                return redirect("account")
            form.add_error("code", _problem(result))
    return render(request, "userflows/account/address_code.html", {"form": form, "email": new_mail})


def _problem(result: CodeCheck) -> str:
    if result is CodeCheck.EXPIRED:
        return _("This code has expired, or was tried too often. Start again.")
    return _("That is not the code that we sent. Look again.")

// Passkeys. Loaded only where one can be made or used; what needs this file is hidden until it runs.
"use strict";

const bytes = (text) => Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));

const text = (buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer))).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");

const named = (credentials) => (credentials ?? []).map((one) => ({ ...one, id: bytes(one.id) }));

function asked(options) {
  const publicKey = { ...options, challenge: bytes(options.challenge) };
  if (options.user) {
    publicKey.user = { ...options.user, id: bytes(options.user.id) };
    publicKey.excludeCredentials = named(options.excludeCredentials);
  }
  return publicKey;
}

function said(credential) {
  const response = {};
  for (const name of ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"]) {
    if (credential.response[name]) {
      response[name] = text(credential.response[name]);
    }
  }
  const rawId = text(credential.rawId);
  return JSON.stringify({ id: rawId, rawId, type: credential.type, response, clientExtensionResults: {} });
}

async function send(form, how) {
  const publicKey = asked(JSON.parse(form.dataset.options));
  const credential = await navigator.credentials[form.dataset.passkey]({ ...how, publicKey });
  form.elements.answer.value = said(credential);
  if (form.elements.keep_signed_in) {
    form.elements.keep_signed_in.disabled = !document.querySelector("[name=keep_signed_in]:checked");
  }
  form.submit();
}

// The browser offers passkeys in the e-mail box, until the button is pressed: it serves one request at a time.
let autofill = new AbortController();
async function offerInBox(form) {
  autofill = new AbortController();
  if (form.dataset.passkey === "get" && (await PublicKeyCredential.isConditionalMediationAvailable?.())) {
    await send(form, { mediation: "conditional", signal: autofill.signal }).catch(() => {});
  }
}

function take(form) {
  const error = form.querySelector("[data-passkey-error]");
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    error.hidden = true;
    autofill.abort();
    try {
      await send(form);
    } catch {
      error.textContent = form.dataset.failed;
      error.hidden = false;
      offerInBox(form);
    }
  });
  form.hidden = false;
  // Whoever was just refused presses the button: an authenticator that answers by itself would go round in circles.
  if (!("refused" in form.dataset)) {
    offerInBox(form);
  }
}

if (window.PublicKeyCredential) {
  document.querySelectorAll("[data-passkey]").forEach(take);
  PublicKeyCredential.isUserVerifyingPlatformAuthenticatorAvailable().then((can) => {
    for (const field of document.querySelectorAll("[name=can_passkey]")) {
      field.value = can ? "1" : "";
    }
  });
}

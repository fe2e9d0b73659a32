"""The process of tests.upstream.saml_identity_provider: pysaml2 behind a web server. It signs with xmlsec1."""

import json
import shutil
import sys
import tempfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from saml2 import BINDING_HTTP_POST, BINDING_HTTP_REDIRECT, SAMLError
from saml2.config import IdPConfig
from saml2.metadata import entity_descriptor
from saml2.saml import NAME_FORMAT_URI, NAMEID_FORMAT_PERSISTENT, NAMEID_FORMAT_TRANSIENT, NameID
from saml2.server import Server
from saml2.xmldsig import DIGEST_SHA256, SIG_RSA_SHA256

from tests.certificates import make_rsa_certificate

AMINA = {
    "mail": "amina@fabrikam.example",
    "givenName": "Amina",
    "sn": "Aziz",
    "eduPersonPrincipalName": "aziz@fabrikam.example",
}
NAME_ID = "7f3a-amina"
STATUS = "urn:oasis:names:tc:SAML:2.0:status:"


def configuration(url: str, folder: Path) -> dict[str, Any]:
    certificate, key = make_rsa_certificate("idp.fabrikam.example")
    (folder / "key.pem").write_text(key)
    (folder / "certificate.pem").write_text(certificate)
    return {
        "entityid": f"{url}/metadata",
        "key_file": str(folder / "key.pem"),
        "cert_file": str(folder / "certificate.pem"),
        "xmlsec_binary": shutil.which("xmlsec1"),
        "signing_algorithm": SIG_RSA_SHA256,
        "digest_algorithm": DIGEST_SHA256,
        "service": {
            "idp": {
                "endpoints": {
                    "single_sign_on_service": [(f"{url}/sso", BINDING_HTTP_REDIRECT)],
                    "single_logout_service": [(f"{url}/slo", BINDING_HTTP_REDIRECT)],
                },
                "name_id_format": [NAMEID_FORMAT_PERSISTENT, NAMEID_FORMAT_TRANSIENT],
                "policy": {"default": {"lifetime": {"minutes": 5}, "name_form": NAME_FORMAT_URI}},
            }
        },
    }


class Handler(BaseHTTPRequestHandler):
    provider: Server

    def do_GET(self) -> None:  # noqa: N802
        parts = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        if parts.path == "/metadata":
            self._answer(str(entity_descriptor(self.provider.config)).encode(), "application/samlmetadata+xml")
        elif parts.path == "/sso":
            # A real browser, whose person agrees at once: the form sends itself.
            self._sign_in(query, {})
        else:
            self._sign_out(query)

    def do_POST(self) -> None:  # noqa: N802
        try:
            self._post()
        except SAMLError as error:
            self._answer(repr(error).encode(), "text/plain", status=400)

    def _post(self) -> None:
        parts = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if parts.path == "/partner":
            # The library makes its store when it starts, and none where it knows nobody yet.
            known = self.provider.config.load_metadata({"inline": [body.decode()]})
            self.provider.metadata = self.provider.sec.metadata = known
            self._answer(b"", "text/plain")
        elif parts.path == "/end":
            self._end(json.loads(body))
        else:
            self._sign_in(query, json.loads(body))

    def _sign_in(self, query: dict[str, str], how: dict[str, Any]) -> None:
        self._check_signature_of(query)
        request = self.provider.parse_authn_request(
            query["SAMLRequest"],
            BINDING_HTTP_REDIRECT,
            relay_state=query.get("RelayState"),
            sigalg=query.get("SigAlg"),
            signature=query.get("Signature"),
        ).message
        asked = self.provider.response_args(request, [BINDING_HTTP_POST])
        if "error" in how:
            info = (f"{STATUS}{how['error']}", how.get("message", ""))
            response = self.provider.create_error_response(asked["in_response_to"], asked["destination"], info)
        else:
            response = self.provider.create_authn_response(
                AMINA,
                asked["in_response_to"],
                asked["destination"],
                asked["sp_entity_id"],
                name_id=self._name_id(asked["sp_entity_id"], how.get("format", NAMEID_FORMAT_PERSISTENT)),
                authn={"class_ref": "urn:oasis:names:tc:SAML:2.0:ac:classes:Password"},
                sign_response=how.get("sign") == "response",
                sign_assertion=how.get("sign", "assertion") == "assertion",
                encrypt_assertion=bool(how.get("encrypt")),
                # The library's own choice is SHA-1.
                sign_alg=how.get("algorithm", SIG_RSA_SHA256),
                digest_alg=DIGEST_SHA256,
            )
        form = self.provider.apply_binding(
            BINDING_HTTP_POST,
            str(response),
            asked["destination"],
            query.get("RelayState", ""),
            response=True,
        )
        self._answer("".join(form["data"]).encode(), "text/html")

    def _check_signature_of(self, query: dict[str, str]) -> None:
        # The library looks at a signature only where it must be there.
        self.provider.config.setattr("idp", "want_authn_requests_signed", "Signature" in query)

    def _name_id(self, partner: str, name_format: str) -> NameID:
        return NameID(
            format=name_format, text=NAME_ID, name_qualifier=self.provider.config.entityid, sp_name_qualifier=partner
        )

    def _sign_out(self, query: dict[str, str]) -> None:
        if "SAMLResponse" in query:
            self._answer(b"Signed out everywhere.", "text/plain")
            return
        self._check_signature_of(query)
        request = self.provider.parse_logout_request(
            query["SAMLRequest"],
            BINDING_HTTP_REDIRECT,
            relay_state=query.get("RelayState"),
            sigalg=query.get("SigAlg"),
            signature=query.get("Signature"),
        ).message
        assert request.name_id.text == NAME_ID
        response = self.provider.create_logout_response(request, [BINDING_HTTP_REDIRECT])
        self._redirect(str(response), response.destination, is_response=True)

    def _end(self, how: dict[str, Any]) -> None:
        partner = how["partner"]
        service = self.provider.metadata.single_logout_service(partner, BINDING_HTTP_REDIRECT, "spsso")[0]
        _id, request = self.provider.create_logout_request(
            service["location"],
            partner,
            name_id=self._name_id(partner, NAMEID_FORMAT_PERSISTENT),
            session_indexes=how.get("session_indexes"),
        )
        sent = self.provider.apply_binding(
            BINDING_HTTP_REDIRECT,
            str(request),
            service["location"],
            how.get("relay_state", ""),
            sign=how.get("sign", True),
            sigalg=how.get("algorithm", SIG_RSA_SHA256),
        )
        self._answer(json.dumps({"location": dict(sent["headers"])["Location"]}).encode(), "application/json")

    def _redirect(self, message: str, destination: str, *, is_response: bool) -> None:
        sent = self.provider.apply_binding(
            BINDING_HTTP_REDIRECT, message, destination, response=is_response, sign=True, sigalg=SIG_RSA_SHA256
        )
        self.send_response(303)
        self.send_header("Location", dict(sent["headers"])["Location"])
        self.end_headers()

    def _answer(self, content: bytes, content_type: str, *, status: int = 200) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *args: Any) -> None:
        pass


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        url = f"http://127.0.0.1:{server.server_port}"
        Handler.provider = Server(config=IdPConfig().load(configuration(url, Path(folder))))
        print(f"running on {url}")
        sys.stdout.flush()
        server.serve_forever()


if __name__ == "__main__":
    main()

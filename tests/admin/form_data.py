"""What a browser sends for the admin's forms."""


def no_rows(*prefixes: str) -> dict[str, str]:
    """Return the counts of inline forms without a row."""
    return {f"{prefix}-{name}_FORMS": "0" for prefix in prefixes for name in ("TOTAL", "INITIAL")}


def flow_form(**values: str) -> dict[str, str]:
    """For a flow that nobody has saved yet, and for a new one: no way to sign in, no question."""
    begun = {"revision": "0", "admission": "anyone", "template": "blank"}
    return {**begun, **no_rows("attribute_assignments"), **values}


def user_form(**values: str) -> dict[str, str]:
    rows = no_rows("identities", "app_role_assignments")
    return {"display_name": "New name", **rows, **values}


def application_form(**values: str) -> dict[str, str]:
    uris = {"redirect_uris": "https://app.example.com/signin-oidc"}
    return {"name": "New name", "is_enabled": "on", "algorithm": "RS256", **uris, **no_rows("secrets"), **values}

"""What each vendor's own documentation shows: claims and profiles, and the answers when something is wrong.

Names and values are the documents'; tokens, codes and times are made by the server.
"""

from typing import Any

# https://developers.google.com/identity/openid-connect/openid-connect#obtainuserinfo
GOOGLE: dict[str, Any] = {
    "sub": "10769150350006150715113082367",
    "hd": "example.com",
    "email": "jsmith@example.com",
    "email_verified": "true",
    "name": "John Smith",
    "given_name": "John",
    "family_name": "Smith",
    "picture": "https://lh4.googleusercontent.com/-kw-iMgD_j34/AAAAAAAAAAI/AAAAAAAAAAc/P1YY91tzesU/s1000-p-k/photo.jpg",
}

# https://learn.microsoft.com/entra/identity-platform/id-tokens#sample-v20-id-token
ENTRA_TENANT = "9122040d-6c67-4c5b-b112-36a304b66dad"
ENTRA: dict[str, Any] = {
    "ver": "2.0",
    "sub": "AAAAAAAAAAAAAAAAAAAAAIkzqFVrSaSaFHy782bbtaQ",
    "name": "Abe Lincoln",
    "preferred_username": "AbeLi@microsoft.com",
    "oid": "00000000-0000-0000-66f3-3332eca7ea81",
    "tid": ENTRA_TENANT,
}
PERSONAL_TENANT = "9188040d-6c67-4c5b-b112-36a304b66dad"
MICROSOFT_ACCOUNT = ENTRA | {
    "tid": PERSONAL_TENANT,
    "preferred_username": "abe@outlook.com",
    "email": "abe@outlook.com",
}

# https://developer.apple.com/documentation/signinwithapple/authenticating-users-with-sign-in-with-apple
APPLE: dict[str, Any] = {
    "sub": "001999.2b8f2ff8d3f04d1ab5fbb28e0c5aea51.1216",
    "email": "dpdcnf87nu@privaterelay.appleid.com",
    "email_verified": "true",
    "is_private_email": "true",
    "nonce_supported": True,
    "real_user_status": 2,
}
# https://developer.apple.com/documentation/signinwithapplerestapi/request-an-authorization-to-the-sign-in-with-apple-server.
APPLE_USER = '{"name":{"firstName":"Jane","lastName":"Doe"},"email":"dpdcnf87nu@privaterelay.appleid.com"}'

# https://docs.github.com/rest/users/users#get-the-authenticated-user
GITHUB: dict[str, Any] = {
    "login": "octocat",
    "id": 1,
    "node_id": "MDQ6VXNlcjE=",
    "avatar_url": "https://github.com/images/error/octocat_happy.gif",
    "html_url": "https://github.com/octocat",
    "type": "User",
    "site_admin": False,
    "name": "monalisa octocat",
    "company": "GitHub",
    "blog": "https://github.com/blog",
    "location": "San Francisco",
    "email": "octocat@github.com",
    "hireable": False,
    "bio": "There once was...",
}
# https://docs.github.com/rest/users/emails#list-email-addresses-for-the-authenticated-user
GITHUB_EMAILS = [
    {"email": "octocat@users.noreply.github.com", "verified": True, "primary": False, "visibility": None},
    {"email": "octocat@github.com", "verified": True, "primary": True, "visibility": "public"},
]

# https://developers.facebook.com/docs/graph-api/reference/user/
FACEBOOK: dict[str, Any] = {
    "id": "102273254823577",
    "name": "Open Graph Test User",
    "first_name": "Open",
    "last_name": "User",
    "email": "open_jygexjs_user@tfbnw.net",
}

# https://learn.microsoft.com/linkedin/consumer/integrations/self-serve/sign-in-with-linkedin-v2
LINKEDIN: dict[str, Any] = {
    "sub": "782bbtaQ",
    "name": "John Doe",
    "given_name": "John",
    "family_name": "Doe",
    "picture": "https://media.licdn-ei.com/dms/image/C5F03AQHqK8v7tB1HCQ/profile-displayphoto-shrink_100_100/0/",
    "locale": "en-US",
    "email": "doe@email.com",
    "email_verified": True,
}

# How each says that the person pressed Cancel.
CANCELLED: dict[str, dict[str, str]] = {
    "Google": {"error": "access_denied"},
    "EntraID": {
        "error": "access_denied",
        "error_subcode": "cancel",
        "error_description": "AADSTS65004: User declined to consent to access the app.",
    },
    "MicrosoftAccount": {"error": "access_denied", "error_description": "The user has denied access to the scope."},
    "Apple": {"error": "user_cancelled_authorize"},
    "GitHub": {
        "error": "access_denied",
        "error_description": "The user has denied your application access.",
        "error_uri": "/apps/building-oauth-apps/troubleshooting-authorization-request-errors/#access-denied",
    },
    "Facebook": {
        "error_reason": "user_denied",
        "error": "access_denied",
        "error_description": "Permissions error",
        "error_code": "200",
    },
    "LinkedIn": {
        "error": "user_cancelled_login",
        "error_description": "The user cancelled the login process",
    },
}

# What each answers when the code is too old or was used: status and body.
CODE_REFUSED: dict[str, tuple[int, dict[str, Any]]] = {
    "Google": (400, {"error": "invalid_grant", "error_description": "Bad Request"}),
    "EntraID": (
        400,
        {
            "error": "invalid_grant",
            "error_description": "AADSTS70008: The provided authorization code or refresh token has expired.",
            "error_codes": [70008],
            "timestamp": "2016-01-09 02:02:12Z",
            "trace_id": "255d1aef-8c98-452f-ac51-23d051240864",
            "correlation_id": "fb3d2015-bc17-4bb9-bb85-30c5cf1aaaa7",
        },
    ),
    "MicrosoftAccount": (400, {"error": "invalid_grant", "error_description": "AADSTS70000: The code has expired."}),
    "Apple": (400, {"error": "invalid_grant", "error_description": "The code has expired or has been revoked."}),
    "GitHub": (
        200,
        {
            "error": "bad_verification_code",
            "error_description": "The code passed is incorrect or expired.",
            "error_uri": "/apps/managing-oauth-apps/troubleshooting-oauth-app-access-token-request-errors/",
        },
    ),
    "Facebook": (
        400,
        {
            "error": {
                "message": "This authorization code has been used.",
                "type": "OAuthException",
                "code": 100,
                "error_subcode": 36009,
                "fbtrace_id": "Fz54k3GZrio",
            }
        },
    ),
    "LinkedIn": (
        400,
        {"error": "invalid_grant", "error_description": "The provided authorization grant has expired"},
    ),
}

# What each answers when the client secret is wrong.
CLIENT_REFUSED: dict[str, tuple[int, dict[str, Any]]] = {
    "Google": (401, {"error": "invalid_client", "error_description": "Unauthorized"}),
    "EntraID": (
        401,
        {
            "error": "invalid_client",
            "error_description": "AADSTS7000215: Invalid client secret provided.",
            "error_codes": [7000215],
        },
    ),
    "MicrosoftAccount": (401, {"error": "invalid_client", "error_description": "AADSTS7000222: The secret expired."}),
    "Apple": (400, {"error": "invalid_client"}),
    "GitHub": (
        200,
        {
            "error": "incorrect_client_credentials",
            "error_description": "The client_id and/or client_secret passed are incorrect.",
        },
    ),
    "Facebook": (
        400,
        {"error": {"message": "Error validating client secret.", "type": "OAuthException", "code": 1}},
    ),
    "LinkedIn": (401, {"error": "invalid_client", "error_description": "Client authentication failed"}),
}

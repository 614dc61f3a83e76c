"""Cases of cli_contract_test.py about the built-in issuer: grants, claims, signatures, throttle."""
import base64
import hashlib
import json
import time
import urllib.parse

import harness
from harness import CUSTOMER, PLAN_LEVEL, playhead

TOKEN = "/realms/playhead/protocol/openid-connect/token"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
EMAIL = "u@example.test"
SHA256_INFO = bytes.fromhex("3031300d060960864801650304020105000420")


def post(server, target, headers=None, **fields):
    return server.send(target, "POST", urllib.parse.urlencode(fields), headers or FORM)


def password_grant(server, password="secret", email=EMAIL, **more):
    return post(server, TOKEN, username=email, password=password, grant_type="password",
                client_id="smartsight-backend", scope="openid", **more)


def part(token, index):
    text = token.split(".")[index]
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def number(text):
    return int.from_bytes(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)), "big")


def rs256_verifies(token, key):
    """PKCS#1 v1.5 with SHA-256, from the numbers of a JWK."""
    modulus, exponent = number(key["n"]), number(key["e"])
    size = (modulus.bit_length() + 7) // 8
    signature = int.from_bytes(part(token, 2), "big")
    plain = pow(signature, exponent, modulus).to_bytes(size, "big")
    digest = hashlib.sha256(token.rsplit(".", 1)[0].encode()).digest()
    tail = b"\x00" + SHA256_INFO + digest
    return plain == b"\x00\x01" + b"\xff" * (size - len(tail) - 2) + tail


def ask(server, token, customer=CUSTOMER, plan_level=PLAN_LEVEL):
    return server.send(f"/mm-apis/qbrData/vod/{customer}?planlevel={plan_level}&period=last=1h"
                       "&metrics=attempts", headers={"Authorization": f"Bearer {token}"})


def served_user():
    return harness.served_customer()


def add_user(server):
    playhead("user", "add", "--data-dir", server.data_dir, "--customer", CUSTOMER, "--email",
             EMAIL, "--password", "secret")


def password_grant_and_claims(tally):
    with served_user() as server:
        add_user(server)
        answer = password_grant(server)
        tally.check("password grant: 200 or 201", answer.status in (200, 201), repr(answer))
        tally.equal("not to be stored", answer.headers.get("cache-control"), "no-store")
        reply = answer.json()
        tally.check("fields of the answer", set(reply) >= {
            "access_token", "expires_in", "refresh_expires_in", "refresh_token", "token_type",
            "id_token", "not-before-policy", "session_state", "scope"}, str(sorted(reply)))
        tally.equal("their values", [reply["expires_in"], reply["refresh_expires_in"],
                                     reply["token_type"], reply["not-before-policy"],
                                     sorted(reply["scope"].split())],
                    [900, 1800, "Bearer", 0, ["email", "openid", "profile"]])
        access, identity = reply["access_token"], reply["id_token"]
        claims = json.loads(part(access, 1))
        realm = f"{server.url}/realms/playhead"
        tally.equal("claims", [claims.get(name) for name in (
            "typ", "azp", "acr", "custId", "level", "accountType", "group", "iss", "email",
            "preferred_username", "allowed-origins", "sid")],
            ["Bearer", "smartsight-backend", "1", str(CUSTOMER), str(PLAN_LEVEL), "MMCUSTOMER",
             [f"/Cap {CUSTOMER} ({CUSTOMER})"], realm, EMAIL, EMAIL, ["*"],
             reply["session_state"]])
        tally.equal("lifetime of the id token", json.loads(part(identity, 1))["exp"] -
                    json.loads(part(identity, 1))["iat"], 900)
        discovery = server.send("/realms/playhead/.well-known/openid-configuration").json()
        tally.equal("discovery", [discovery["issuer"], discovery["token_endpoint"]],
                    [realm, server.url + TOKEN])
        keys = server.send(urllib.parse.urlsplit(discovery["jwks_uri"]).path).json()["keys"]
        for name, token in (("access", access), ("id", identity)):
            head = json.loads(part(token, 0))
            key = [key for key in keys if key["kid"] == head.get("kid")]
            tally.check(f"/certs verifies the {name} token's RS256 signature",
                        head["alg"] == "RS256" and len(key) == 1 and rs256_verifies(token, key[0]))
        tally.equal("the token opens the API", ask(server, access).status, 200)
        tally.equal("wrong customer: 403", ask(server, access, CUSTOMER + 1).status, 403)
        tally.equal("wrong plan level: 403", ask(server, access, plan_level=1).status, 403)
        for name, token in {"an id token": identity, "a refresh token": reply["refresh_token"],
                            "a changed token": access[:-5] + "AAAAA",
                            "no signature": access.rsplit(".", 1)[0] + ".",
                            "alg none": forged(access), "rubbish": "a.b.c"}.items():
            tally.check(f"{name} does not open the API", ask(server, token).is_problem(401))
        tally.equal("unknown realm", server.send(TOKEN.replace("playhead", "other"), "POST",
                                                 "grant_type=password", FORM).status, 404)


def forged(token):
    head = base64.urlsafe_b64encode(b'{"alg":"none","typ":"JWT"}').rstrip(b"=").decode()
    return f"{head}.{token.split('.')[1]}."


def other_grants(tally):
    with served_user() as server:
        add_user(server)
        first = password_grant(server).json()
        second = post(server, TOKEN, grant_type="refresh_token", client_id="smartsight-backend",
                      refresh_token=first["refresh_token"])
        tally.equal("refresh", second.status, 200)
        tally.equal("its token opens the API", ask(server, second.json()["access_token"]).status,
                    200)
        again = post(server, TOKEN, grant_type="refresh_token", client_id="smartsight-backend",
                     refresh_token=first["refresh_token"])
        tally.equal("a refresh token works once", again.status, 400)
        key_id = server.key[:15]
        client = post(server, TOKEN, grant_type="client_credentials", client_id=key_id,
                      client_secret=server.key)
        tally.equal("client_credentials", client.status, 200)
        tally.equal("its token opens the API", ask(server, client.json()["access_token"]).status,
                    200)
        basic = base64.b64encode(f"{key_id}:{server.key}".encode()).decode()
        client = post(server, TOKEN, {**FORM, "Authorization": f"Basic {basic}"},
                      grant_type="client_credentials")
        tally.equal("client_credentials with HTTP Basic", client.status, 200)
        wrong = base64.b64encode(f"{key_id}:nonsense".encode()).decode()
        client = post(server, TOKEN, {**FORM, "Authorization": f"Basic {wrong}"},
                      grant_type="client_credentials")
        tally.check("a wrong secret is 401 with WWW-Authenticate", client.status == 401 and
                    "www-authenticate" in client.headers, repr(client))
        tally.equal("an unreadable Basic header", post(
            server, TOKEN, {**FORM, "Authorization": "Basic %%%"},
            grant_type="client_credentials").status, 401)
        for name, fields in {"no grant type": {}, "unknown grant": {"grant_type": "magic"},
                             "no username": {"grant_type": "password", "password": "x",
                                             "client_id": "smartsight-backend"}}.items():
            answer = post(server, TOKEN, **fields)
            tally.check(f"{name}: 400 with an OAuth error",
                        answer.status == 400 and "error" in answer.json(), repr(answer))


def older_generation(tally):
    with served_user() as server:
        add_user(server)
        target = "/generateOAuthToken"
        answer = post(server, target, grant_type="password", username=EMAIL, password="secret")
        reply = answer.json()
        tally.check("generateOAuthToken", answer.status in (200, 201) and set(reply) >= {
            "access_token", "expires_in", "refresh_token", "token_type", "scope"}, repr(answer))
        tally.equal("token_type of that generation", reply["token_type"], "bearer")
        tally.equal("its token opens the API", ask(server, reply["access_token"]).status, 200)
        text = json.dumps({"grant_type": "refresh_token", "username": reply["refresh_token"]})
        for name, headers in {"as JSON": {"Content-Type": "application/json"},
                              "as JSON that calls itself a form, as documented": FORM}.items():
            answer = server.send(target, "POST", text, headers)
            tally.check(f"refresh {name}", answer.status in (200, 201), repr(answer))
            if answer.status not in (200, 201):
                return
            reply = answer.json()
            text = json.dumps({"grant_type": "refresh_token", "username": reply["refresh_token"]})
        answer = post(server, target, grant_type="refresh_token",
                      refresh_token=reply["refresh_token"])
        tally.check("refresh as a form", answer.status in (200, 201), repr(answer))
        for body in ("{", "[]", '{"grant_type":7}', '{"grant_type":"password"}'):
            answer = server.send(target, "POST", body, {"Content-Type": "application/json"})
            tally.equal(f"{body} is 400", answer.status, 400)


def guessing_is_slowed_down(tally):
    with served_user() as server:
        add_user(server)
        statuses = [password_grant(server, f"guess-{attempt}").status for attempt in range(12)]
        tally.check("a wrong password is 401", statuses[0] == 401, str(statuses))
        tally.check("the first five are answered", all(status == 401 for status in statuses[:5]),
                    str(statuses))
        tally.check("then 429", statuses[-1] == 429, str(statuses))
        answer = password_grant(server)
        tally.check("429 says when to come again, the right password too", answer.status == 429 and
                    int(answer.headers.get("retry-after", 0)) >= 1, repr(answer))
        wait = int(answer.headers.get("retry-after", 0))
        if wait <= 10:
            time.sleep(wait + 0.2)
            tally.equal("after that time the right password works",
                        password_grant(server).status, 200)
        begun = time.monotonic()
        unknown = password_grant(server, "x", "nobody@example.test")
        tally.check("an unknown user looks like a wrong password", unknown.status == 401 and
                    time.monotonic() - begun > 0.005, repr(unknown))


CASES = [password_grant_and_claims, other_grants, older_generation, guessing_is_slowed_down]

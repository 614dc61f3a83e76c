"""An external OpenID provider instead of the built-in issuer: a real one, from npm, on loopback."""
import base64
import contextlib
import hashlib
import hmac
import json
import shutil
import subprocess
import sys
import time
import urllib.parse

import harness
from harness import CUSTOMER, PLAN_LEVEL

FOLDER = harness.ROOT / "tests/provider"
API = "https://api.playhead.test"
REFETCH_SECONDS = 5  # ProviderKeysOptions::refetch_interval_ms


class Provider:
    def __init__(self, port=0):
        self.process = subprocess.Popen(
            ["node", str(FOLDER / "provider.mjs"), str(port)], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        word, self.issuer = self.process.stdout.readline().split()
        assert word == "ready"
        self.port = urllib.parse.urlsplit(self.issuer).port

    def tell(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().strip()

    def token(self, client, resource=API):
        secret = base64.b64encode(
            f"{client}:{urllib.parse.quote_plus('a secret of the test')}".encode()).decode()
        answer = harness.send(self.issuer + "/token", "POST", urllib.parse.urlencode(
            {"grant_type": "client_credentials", "resource": resource}),
            {"Content-Type": "application/x-www-form-urlencoded",
             "Authorization": f"Basic {secret}"})
        if answer.status != 200:
            raise RuntimeError(f"token of {client}: {answer!r}")
        return answer.json()["access_token"]

    def stop(self):
        self.process.stdin.close()
        self.process.wait(10)
        self.process.stdout.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.stop()


@contextlib.contextmanager
def served(provider, *extra):
    with harness.served_customer("--auth-issuer", provider.issuer, "--auth-audience", "playhead",
                                 *extra) as server:
        yield server


def ask(server, token, customer=CUSTOMER, path="/mm-apis/dictionary/{}"):
    return server.send(path.format(customer), headers={"Authorization": f"Bearer {token}"})


def forged(token, key_set):
    """The token's claims under other algorithms, keyed with what is public."""
    def part(value):
        return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()
    head, claims, signature = token.split(".")
    header = json.loads(base64.urlsafe_b64decode(head + "=="))
    key = next(one for one in key_set["keys"] if one["kty"] == "RSA")
    yield "alg none", f"{part({**header, 'alg': 'none'})}.{claims}."
    yield "alg None with the signature", f"{part({**header, 'alg': 'None'})}.{claims}.{signature}"
    for name, secret in {"its modulus": key["n"].encode(), "the JWK": json.dumps(key).encode(),
                         "nothing": b""}.items():
        signed = f"{part({**header, 'alg': 'HS256'})}.{claims}"
        mac = hmac.new(secret, signed.encode(), hashlib.sha256).digest()
        yield f"HS256 keyed with {name}", \
            f"{signed}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"
    for alg in ("RS384", "PS256", "ES256", "rs256"):
        yield f"alg {alg}", f"{part({**header, 'alg': alg})}.{claims}.{signature}"
    yield "no kid", f"{part({'alg': 'RS256', 'typ': 'at+jwt'})}.{claims}.{signature}"
    yield "a key of its own", f"{part({**header, 'jwk': key, 'kid': 'mine'})}.{claims}.{signature}"
    changed = json.loads(base64.urlsafe_b64decode(claims + "=="))
    yield "other claims", f"{head}.{part({**changed, 'custId': '77'})}.{signature}"


def tokens_and_claims(tally):
    with Provider() as provider, served(provider) as server:
        harness.add_tenant(server.data_dir, 77, 1)
        token = provider.token("viewer")
        header = json.loads(base64.urlsafe_b64decode(token.split(".")[0] + "=="))
        tally.equal("the provider signs with RS256", header["alg"], "RS256")
        tally.equal("its token opens the API", ask(server, token).status, 200)
        tally.check("another customer: 403", ask(server, token, 77).is_problem(403))
        plan = "/mm-apis/metricquery/{}?metric=plays&hours=1&planlevel="
        tally.check("the plan of the token counts", ask(
            server, token, path=plan + str(PLAN_LEVEL + 1)).is_problem(403))
        harness.wait_until(lambda: ask(server, provider.token("parent"), 77).status == 200, 5,
                           "the new customer")
        tally.equal("Keycloak's group opens a further customer",
                    ask(server, provider.token("parent"), 77).status, 200)
        tally.equal("and stands in for the customer",
                    ask(server, provider.token("grouped")).status, 200)
        tally.check("no customer: 401", ask(server, provider.token("nobody")).is_problem(401))
        tally.check("no role: 403", ask(server, provider.token("roleless")).is_problem(403))
        tally.check("someone else's audience: 401", ask(
            server, provider.token("viewer", "https://other.test")).is_problem(401))
        elliptic = provider.token("viewer", "https://es.playhead.test")
        head, claims, signature = elliptic.split(".")
        tally.equal("the provider signs with ES256 too",
                    json.loads(base64.urlsafe_b64decode(head + "=="))["alg"], "ES256")
        tally.equal("and that token opens the API", ask(server, elliptic).status, 200)
        tally.check("for its customer", ask(server, elliptic, 77).is_problem(403))
        changed = json.loads(base64.urlsafe_b64decode(claims + "=="))
        other = base64.urlsafe_b64encode(json.dumps({**changed, "custId": "77"}).encode()).rstrip(
            b"=").decode()
        tally.check("with other claims: 401", ask(
            server, f"{head}.{other}.{signature}", 77).is_problem(401))
        for name, forgery in forged(token, harness.send(provider.issuer + "/jwks").json()):
            tally.check(f"{name}: 401", ask(server, forgery).is_problem(401))
        tally.equal("keys go on working", server.send(
            f"/mm-apis/dictionary/{CUSTOMER}", headers={"X-API-Key": server.key}).status, 200)
        tally.equal("the built-in issuer is off", server.send(
            "/realms/playhead/protocol/openid-connect/token", "POST", "grant_type=password").status,
            404)
        tally.equal("an admin administers", ask(server, provider.token("admin"),
                                                path="/admin/v1/tenants").status, 200)
        tally.check("a viewer does not", ask(server, token, path="/admin/v1/tenants").is_problem(403))
        tally.equal("users are the provider's", ask(server, provider.token("admin"),
                                                    path="/admin/v1/users").status, 404)


def mapped_claims(tally):
    with Provider() as provider, served(
            provider, "--auth-claim-customer", "https://example.test/tenant", "--auth-claim-plan",
            "plan.id", "--auth-claim-roles", "team", "--auth-role-map",
            "qoe-admins=admin,qoe=viewer") as server:
        token = provider.token("mapped")
        tally.equal("other names, a path and a role of theirs", ask(
            server, token, path="/admin/v1/tenants").status, 200)
        plan = "/mm-apis/metricquery/{}?metric=plays&hours=1&planlevel=1"
        tally.check("the plan by its path", ask(server, token, path=plan).is_problem(403))
        tally.check("the usual names mean nothing then",
                    ask(server, provider.token("viewer")).is_problem(401))


def a_rotated_key(tally):
    with Provider() as provider, served(provider) as server:
        old = provider.token("viewer")
        tally.equal("before", ask(server, old).status, 200)
        time.sleep(REFETCH_SECONDS + 0.5)
        tally.equal("the provider rotates", provider.tell("rotate"), "rotated")
        new = provider.token("viewer")
        begun = time.monotonic()
        tally.equal("the new key is found at the first token", ask(server, new).status, 200)
        tally.check("within a second", time.monotonic() - begun < 1)
        tally.check("the withdrawn key is refused", ask(server, old).is_problem(401))
        reads = int(provider.tell("counts"))
        head, rest = new.split(".", 1)
        for number in range(200):
            header = {**json.loads(base64.urlsafe_b64decode(head + "==")), "kid": f"made-up-{number}"}
            text = base64.urlsafe_b64encode(json.dumps(header).encode()).rstrip(b"=").decode()
            if not ask(server, f"{text}.{rest}").is_problem(401):
                return tally.check("made-up key ids are 401", False)
        more = int(provider.tell("counts")) - reads
        tally.check("200 made-up key ids do not flood the provider", more <= 2, str(more))


def the_provider_is_down(tally):
    with Provider() as provider:
        with served(provider) as server:
            token = provider.token("viewer")
            tally.equal("up", ask(server, token).status, 200)
            port = provider.port
            provider.stop()
            time.sleep(REFETCH_SECONDS + 0.5)
            tally.equal("down: a token of before goes on", ask(server, token).status, 200)
            head, rest = token.split(".", 1)
            other = base64.urlsafe_b64encode(json.dumps(
                {"alg": "RS256", "typ": "at+jwt", "kid": "other"}).encode()).rstrip(b"=").decode()
            tally.check("an unknown key is refused", ask(server, f"{other}.{rest}").is_problem(401))
            tally.equal("ready all the same", server.send("/readyz").status, 200)
        with harness.served_customer("--auth-issuer", f"http://127.0.0.1:{port}",
                                     "--auth-audience", "playhead") as server:
            answer = ask(server, token)
            tally.check("started while it is down: 503 with Retry-After", answer.is_problem(503) and
                        "retry-after" in answer.headers, repr(answer))
            tally.equal("keys work", server.send(f"/mm-apis/dictionary/{CUSTOMER}", headers={
                "X-API-Key": server.key}).status, 200)
            with Provider(port) as again:
                fresh = again.token("viewer")
                harness.wait_until(lambda: ask(server, fresh).status == 200, REFETCH_SECONDS + 5,
                                   "tokens of the provider that is back")
                tally.check("it is back: so are its tokens", True)
                tally.check("the token of the lost key is refused", ask(server, token).is_problem(401))


def refused_settings(tally):
    with harness.folder() as work:
        harness.add_tenant(work / "data")
        for name, arguments in {
                "plain http": ("--auth-issuer", "http://id.example.test/realms/x"),
                "no URL": ("--auth-issuer", "somewhere"),
                "a name like loopback": ("--auth-issuer", "http://127.0.0.1.evil.test/"),
                "a user in the URL": ("--auth-issuer", "http://127.0.0.1@evil.test/"),
                "an unknown role": ("--auth-issuer", "http://127.0.0.1:1", "--auth-role-map",
                                    "x=owner")}.items():
            done = subprocess.run([harness.BINARY, "serve", "--data-dir", str(work / "data"),
                                   "--listen", "127.0.0.1:0", *arguments], capture_output=True,
                                  text=True, timeout=30)
            tally.check(f"{name}: refused in one line", done.returncode == 1 and
                        "auth." in done.stderr or "provider" in done.stderr, done.stderr[-300:])


if __name__ == "__main__":
    if shutil.which("node") is None:
        print("skip: node is not installed, so there is no provider to test against")
        print("0 passed, 0 failed, 1 skipped")
        sys.exit(0)
    subprocess.run([str(harness.ROOT / "scripts/fetch-node"), "tests/provider"], check=True,
                   cwd=harness.ROOT)
    sys.exit(harness.run_cases([tokens_and_claims, mapped_claims, a_rotated_key,
                                the_provider_is_down, refused_settings]))

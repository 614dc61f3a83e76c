"""Administration under /admin/v1 and the browser login: what an admin may, and what nobody may."""
import base64
import hashlib
import http.client
import json
import re
import sys
import urllib.parse

import harness
from harness import CUSTOMER, PLAN_LEVEL, playhead
from tokens import FORM, TOKEN, post

OTHER = 77
CHILD = 900100201
BASE = "/realms/playhead/protocol/openid-connect"
SECRET = "a long enough secret"
VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
REDIRECT = "https://app.example.test/back"
AFTER_LOGOUT = "https://app.test/bye"


def add_user(server, email, role, customer=CUSTOMER):
    playhead("user", "add", "--data-dir", server.data_dir, "--customer", customer, "--email", email,
             "--password", SECRET, "--role", role)


def log_in(server, email, password=SECRET):
    return post(server, TOKEN, username=email, password=password, grant_type="password",
                client_id="smartsight-backend", scope="openid")


class Admin:
    """One account or key, asking."""

    def __init__(self, server, email=None, key=None):
        self.server = server
        if key:
            self.headers = {"X-API-Key": key}
        else:
            token = log_in(server, email).json()["access_token"]
            self.headers = {"Authorization": f"Bearer {token}"}

    def ask(self, method, path, body=None):
        text = json.dumps(body) if isinstance(body, dict) else body
        return self.server.send("/admin/v1/" + path, method, text, self.headers)

    def get(self, path):
        return self.ask("GET", path)

    def everything(self, customer=None):
        suffix = f"?customer={customer}" if customer else ""
        return [self.get(kind + suffix).json() for kind in ("users", "apikeys", "tags")]


class Stage:
    """A customer with accounts of every role, and another customer with the same."""

    def __enter__(self):
        self.context = harness.served_customer(
            "--auth-clients", "smartsight-backend,playhead-portal,app",
            "--auth-redirect-uris", f"app={REDIRECT}", "--auth-post-logout-redirect-uris",
            f"smartsight-backend={AFTER_LOGOUT}")
        self.server = server = self.context.__enter__()
        harness.add_tenant(server.data_dir, OTHER, 1)
        for role in ("viewer", "editor", "admin"):
            add_user(server, f"{role}@a.test", role)
        add_user(server, "admin@b.test", "admin", OTHER)
        harness.wait_until(lambda: log_in(server, "admin@b.test").status == 200, 5, "accounts")
        self.a = Admin(server, "admin@a.test")
        self.b = Admin(server, "admin@b.test")
        return self

    def __exit__(self, *error):
        return self.context.__exit__(*error)


def who_may(tally):
    with Stage() as stage:
        server = stage.server
        for name, headers in {"nobody": {}, "rubbish": {"Authorization": "Bearer x.y.z"}}.items():
            tally.check(f"{name}: 401",
                        server.send("/admin/v1/users", headers=headers).is_problem(401))
        for email in ("viewer@a.test", "editor@a.test"):
            asking = Admin(server, email)
            for kind in ("tenants", "users", "apikeys", "tags", "audit"):
                tally.check(f"{email} reads {kind}: 403", asking.get(kind).is_problem(403))
            tally.check(f"{email} makes a key: 403",
                        asking.ask("POST", "apikeys", {"scope": "read"}).is_problem(403))
        tally.check("a reading key: 403", Admin(server, key=server.key).get("users").is_problem(403))
        key = stage.a.ask("POST", "apikeys", {"scope": "admin", "name": "robot"}).json()
        robot = Admin(server, key=key["key"])
        tally.equal("a key of scope admin may", robot.get("users").status, 200)
        tally.equal("it is revoked", stage.a.ask("DELETE", f"apikeys/{key['id']}").status, 204)
        tally.check("and may no more, at once", robot.get("users").status in (401, 403))
        refused = [entry for entry in stage.a.get("audit").json()["entries"]
                   if entry["action"] == "admin-refused"]
        tally.check("refused attempts are in the audit log with actor, target, address",
                    any(entry["actor"] == "viewer@a.test" and entry["address"] == "127.0.0.1" and
                        entry["target"] == "POST /admin/v1/apikeys" for entry in refused),
                    str(refused))


def users(tally):
    with Stage() as stage:
        a, server = stage.a, stage.server
        body = {"email": "New@A.test", "password": SECRET, "role": "editor", "givenName": "N"}
        made = a.ask("POST", "users", body)
        user = made.json()
        tally.check("a user is made", made.status == 201 and user["email"] == "new@a.test" and
                    user["role"] == "editor" and user["customerId"] == CUSTOMER, repr(made))
        tally.check("the answer has no password", "password" not in made.body.decode().lower())
        tally.check("twice: 409", a.ask("POST", "users", body).is_problem(409))
        first = log_in(server, "new@a.test")
        tally.equal("who can log in", first.status, 200)
        path = f"users/{user['id']}"
        tally.equal("read", a.get(path).json(), user)
        changed = a.ask("PATCH", path, {"role": "viewer", "familyName": "U"}).json()
        tally.check("changed", changed["role"] == "viewer" and changed["familyName"] == "U" and
                    changed["givenName"] == "N", str(changed))
        tally.equal("a new password", a.ask("PATCH", path, {"password": "other secret"}).status, 200)

        def refresh(tokens):
            return post(server, TOKEN, grant_type="refresh_token", client_id="smartsight-backend",
                        refresh_token=tokens.json()["refresh_token"]).status

        tally.equal("ends the logins", refresh(first), 400)
        tally.equal("the old one is wrong", log_in(server, "new@a.test").status, 401)
        second = log_in(server, "new@a.test", "other secret")
        tally.equal("the new one is right", second.status, 200)
        a.ask("PATCH", path, {"enabled": False})
        tally.equal("disabled: no login", log_in(server, "new@a.test", "other secret").status, 400)
        a.ask("PATCH", path, {"enabled": True})
        tally.equal("enabled again, the login from before stays ended", refresh(second), 400)
        tally.equal("removed", a.ask("DELETE", path).status, 204)
        tally.check("gone", a.get(path).is_problem(404))
        me = next(one for one in a.get("users").json()["users"] if one["email"] == "admin@a.test")
        for name, answer in {
                "not oneself away": a.ask("DELETE", f"users/{me['id']}"),
                "not oneself off": a.ask("PATCH", f"users/{me['id']}", {"enabled": False}),
                "not oneself down": a.ask("PATCH", f"users/{me['id']}", {"role": "viewer"})}.items():
            tally.check(f"{name}: 409", answer.is_problem(409), repr(answer))
        text = a.get("audit?limit=1000").body.decode()
        tally.check("the audit log names the changes", all(
            word in text for word in ("user-added", "user-changed", "user-removed", "admin@a.test")))
        tally.check("and no secret", SECRET not in text and "other secret" not in text and
                    "argon2" not in text)


def a_demoted_admin_is_one_no_more(tally):
    with Stage() as stage:
        a = stage.a
        made = a.ask("POST", "users", {"email": "two@a.test", "password": SECRET, "role": "admin"})
        two = Admin(stage.server, "two@a.test")
        tally.equal("a second admin", two.get("users").status, 200)
        a.ask("PATCH", f"users/{made.json()['id']}", {"role": "viewer"})
        tally.check("is refused at once, token or not", two.get("users").is_problem(403))


def keys_and_tags(tally):
    with Stage() as stage:
        a, server = stage.a, stage.server
        made = a.ask("POST", "apikeys", {"scope": "read", "name": "grafana"})
        key = made.json()
        tally.check("a key, printed once", made.status == 201 and key["key"].startswith(key["id"]))
        tally.equal("works", server.send(f"/mm-apis/dictionary/{CUSTOMER}",
                                         headers={"X-API-Key": key["key"]}).status, 200)
        again = a.get(f"apikeys/{key['id']}")
        tally.check("never again", "key" not in again.json() and
                    key["key"] not in a.get("apikeys").body.decode() and
                    key["key"] not in a.get("audit").body.decode())
        tally.equal("renamed", a.ask("PATCH", f"apikeys/{key['id']}",
                                     {"name": "panel"}).json()["name"], "panel")
        tally.equal("revoked", a.ask("DELETE", f"apikeys/{key['id']}").status, 204)
        harness.wait_until(lambda: server.send(f"/mm-apis/dictionary/{CUSTOMER}", headers={
            "X-API-Key": key["key"]}).status == 401, 5, "the key to stop working")
        tally.check("works no more", True)

        tag = {"name": "plan_tier", "title": "Plan", "description": "Say \"hi\" <b>", "type": "text"}
        made = a.ask("POST", "tags", tag)
        tally.check("a tag", made.status == 201 and made.json() == tag, repr(made))
        tally.check("twice: 409", a.ask("POST", "tags", tag).is_problem(409))
        changed = a.ask("PATCH", "tags/plan_tier", {"type": "number"})
        tally.equal("changed", changed.json(), {**tag, "type": "number"})
        tally.equal("listed", a.get("tags").json(), {"tags": [{**tag, "type": "number"}]})
        tally.equal("removed", a.ask("DELETE", "tags/plan_tier").status, 204)
        tally.check("gone", a.get("tags/plan_tier").is_problem(404))


def tenants(tally):
    with Stage() as stage:
        a, server = stage.a, stage.server
        made = a.ask("POST", "tenants", {"customerId": CHILD, "name": "Child"})
        child = made.json()
        tally.check("a child on the parent's plan", made.status == 201 and
                    child["parentCustomerId"] == CUSTOMER and child["planLevel"] == PLAN_LEVEL,
                    repr(made))
        tally.check("taken: 409", a.ask("POST", "tenants", {
            "customerId": OTHER, "name": "Mine now"}).is_problem(409))
        tally.equal("the other's name is as before",
                    stage.b.get(f"tenants/{OTHER}").json()["name"], f"Cap {OTHER}")
        tally.equal("both are listed", [one["customerId"] for one in
                                        a.get("tenants").json()["tenants"]], [CUSTOMER, CHILD])
        made = a.ask("POST", "users", {"email": "admin@c.test", "password": SECRET, "role": "admin",
                                       "customerId": CHILD})
        tally.equal("an admin for the child", made.status, 201)
        c = Admin(server, "admin@c.test")
        tally.equal("who sees the child", [one["customerId"] for one in
                                           c.get("tenants").json()["tenants"]], [CHILD])
        tally.check("and not the parent", c.get(f"tenants/{CUSTOMER}").is_problem(404))
        tally.check("nor its users", c.get(f"users?customer={CUSTOMER}").is_problem(404))
        tally.equal("the parent sees the child's", [one["email"] for one in a.get(
            f"users?customer={CHILD}").json()["users"]], ["admin@c.test"])
        parent = Admin(server, "admin@a.test")
        harness.wait_until(lambda: server.send(f"/mm-apis/dictionary/{CHILD}",
                           headers=parent.headers).status == 200, 5, "the parent to read the child")
        tally.check("a parent account reads its child", True)
        for body in ({"enabled": False}, {"planLevel": 1}, {"parentCustomerId": OTHER}):
            answer = a.ask("PATCH", f"tenants/{CUSTOMER}", body)
            tally.check(f"not for oneself: {body}", answer.is_problem(400, 403), repr(answer))
        tally.check("nor removed", a.ask("DELETE", f"tenants/{CUSTOMER}").is_problem(403))
        tally.equal("the name may", a.ask("PATCH", f"tenants/{CUSTOMER}",
                                          {"name": "New name"}).json()["name"], "New name")
        tally.equal("the child is disabled", a.ask("DELETE", f"tenants/{CHILD}").status, 204)
        tally.check("its admin is out", c.get("users").is_problem(403))


def nobody_crosses_over(tally):
    with Stage() as stage:
        a, b, server = stage.a, stage.b, stage.server
        b.ask("POST", "apikeys", {"scope": "read", "name": "theirs"})
        b.ask("POST", "tags", {"name": "theirs"})
        before = b.everything()
        user = before[0]["users"][0]
        key = before[1]["apiKeys"][0]
        attempts = [("GET", f"{kind}?customer={OTHER}", None)
                    for kind in ("users", "apikeys", "tags", "audit")]
        attempts += [
            ("GET", f"tenants/{OTHER}", None), ("PATCH", f"tenants/{OTHER}", {"name": "x"}),
            ("DELETE", f"tenants/{OTHER}", None),
            ("GET", f"users/{user['id']}", None),
            ("PATCH", f"users/{user['id']}", {"password": "mine now!"}),
            ("DELETE", f"users/{user['id']}", None),
            ("GET", f"apikeys/{key['id']}", None), ("PATCH", f"apikeys/{key['id']}", {"name": "x"}),
            ("DELETE", f"apikeys/{key['id']}", None),
            ("GET", f"tags/theirs?customer={OTHER}", None),
            ("PATCH", f"tags/theirs?customer={OTHER}", {"title": "x"}),
            ("DELETE", f"tags/theirs?customer={OTHER}", None), ("DELETE", "tags/theirs", None),
            ("POST", "users", {"email": "spy@b.test", "password": SECRET, "customerId": OTHER}),
            ("POST", "users", {"email": "spy@a.test", "password": SECRET, "role": "admin",
                               "furtherCustomers": [OTHER]}),
            ("POST", "apikeys", {"scope": "read", "customerId": OTHER}),
            ("POST", "tags", {"name": "mine", "customerId": OTHER})]
        for method, path, body in attempts:
            answer = a.ask(method, path, body)
            tally.check(f"{method} {path.replace(user['id'], 'ID').replace(key['id'], 'KEY')}",
                        answer.is_problem(403, 404), repr(answer))
        tally.equal("nothing of theirs has changed", b.everything(), before)
        tally.equal("nor was a user made here", len(a.get("users").json()["users"]), 3)
        tally.equal("their password is as before", log_in(server, "admin@b.test").status, 200)
        refused = [entry for entry in a.get("audit?limit=1000").json()["entries"]
                   if entry["action"] == "admin-refused"]
        tally.equal("every attempt is in the audit log", len(refused), len(attempts))
        tally.check("of the one who tried only", "admin@a.test" not in b.get("audit").body.decode())
        wide = playhead("user", "add", "--data-dir", server.data_dir, "--customer", CUSTOMER,
                        "--email", "wide@a.test", "--password", SECRET, "--role", "viewer",
                        "--also", OTHER, check=False)
        if wide.returncode != 0:
            return tally.check("the CLI gives a further customer", False, wide.stderr)
        user = next(one for one in a.get("users").json()["users"] if one["email"] == "wide@a.test")
        for body in ({"password": "mine now!"}, {"role": "admin"}, {"furtherCustomers": []}):
            tally.check(f"an account that reads more than its admin: {list(body)[0]} is 403",
                        a.ask("PATCH", f"users/{user['id']}", body).is_problem(403))
        tally.equal("its password is as before", log_in(server, "wide@a.test").status, 200)


def bad_input(tally):
    with Stage() as stage:
        a = stage.a
        good = {"email": "x@a.test", "password": SECRET}
        for body, parameter, expected in [
                ({**good, "emial": "x"}, "emial", "email"), ({"email": "x@a.test"}, "password", None),
                ({**good, "role": "owner"}, "role", "viewer"), ({**good, "role": 7}, "role", "text"),
                ({**good, "email": "no"}, "email", None), ({**good, "enabled": "yes"}, "enabled", None),
                ({**good, "furtherCustomers": ["x"]}, "furtherCustomers", None),
                ({**good, "customerId": "7"}, "customerId", None),
                ('{"email":"x@a.test","email":"y@a.test","password":"secret1"}', "email", None),
                ("[]", "body", None), ("{", "body", None)]:
            answer = a.ask("POST", "users", body)
            problem = answer.json()
            tally.check(f"{str(body)[:60]}: names {parameter}", answer.is_problem(400) and
                        problem.get("parameter") == parameter and
                        (expected is None or expected in problem.get("expected", "")), repr(answer))
        for path in ("audit?limit=0", "audit?limit=9999", "audit?before=x", "users?customer=x",
                     "tenants/x"):
            tally.check(f"{path}: 400", a.get(path).is_problem(400), repr(a.get(path)))
        tally.check("a short password", a.ask("POST", "users", {
            "email": "x@a.test", "password": "abc"}).is_problem(400))
        for body in ({"name": "a b"}, {"name": ""}, {"name": "x" * 65}, {"name": "x", "type": "y"}):
            tally.check(f"tag {str(body)[:40]}", a.ask("POST", "tags", body).is_problem(400))
        tally.check("nothing was made", len(a.get("users").json()["users"]) == 3 and
                    a.get("tags").json() == {"tags": []})
        for number in range(5):
            a.ask("POST", "tags", {"name": f"t{number}"})
        seen, before = [], 0
        for _ in range(100):
            page = a.get(f"audit?limit=2&before={before}").json()
            seen += [entry["id"] for entry in page["entries"]]
            before = page["before"]
            if before is None:
                break
        tally.equal("pages of the audit log are the whole of it", seen, [
            entry["id"] for entry in a.get("audit?limit=1000").json()["entries"]])


def authorization(**changes):
    query = {"response_type": "code", "client_id": "app", "redirect_uri": REDIRECT,
             "code_challenge": CHALLENGE, "code_challenge_method": "S256", "state": "s t", **changes}
    return f"{BASE}/auth?{urllib.parse.urlencode(query)}"


def form_of(page):
    return dict(re.findall(r'name="(\w+)" value="([^"]*)"', page.body.decode()))


def browser_login(tally):
    with Stage() as stage:
        server = stage.server
        page = server.send(authorization())
        policy = page.headers.get("content-security-policy", "")
        tally.check("the page", page.status == 200 and page.type == "text/html")
        tally.check("no script, no frame, no CDN", "default-src 'none'" in policy and
                    "frame-ancestors 'none'" in policy and "<script" not in page.body.decode() and
                    "src=" not in page.body.decode())
        cookie = page.headers["set-cookie"].split(";")[0]
        tally.check("the cookie is the page's", "HttpOnly" in page.headers["set-cookie"] and
                    "SameSite=Lax" in page.headers["set-cookie"])
        fields = {**form_of(page), "redirect_uri": REDIRECT, "state": "s t",
                  "username": "viewer@a.test", "password": SECRET}

        def submit(more_headers=None, **changes):
            sent = {name: value for name, value in {**fields, **changes}.items() if value is not None}
            return server.send(f"{BASE}/auth", "POST", urllib.parse.urlencode(sent),
                               {**FORM, "Cookie": cookie, **(more_headers or {})})

        for name, answer in {"no cookie": submit({"Cookie": ""}), "no field": submit(csrf=None),
                             "a made-up field": submit(csrf="A" * 43),
                             "another origin": submit({"Origin": "https://evil.test"}),
                             "origin null": submit({"Origin": "null"})}.items():
            tally.check(f"{name}: 403 and the page again", answer.status == 403 and
                        "location" not in answer.headers, repr(answer))
        wrong = submit(password="wrong secret")
        tally.check("a wrong password: the page again", wrong.status == 401 and
                    b"Invalid user credentials" in wrong.body and b"wrong secret" not in wrong.body)
        answer = submit({"Origin": server.url})
        place = urllib.parse.urlsplit(answer.headers.get("location", ""))
        back = dict(urllib.parse.parse_qsl(place.query))
        tally.check("back to the application", answer.status == 303 and
                    answer.headers["location"].startswith(REDIRECT + "?code=") and
                    back["state"] == "s t", repr(answer))
        trade = {"grant_type": "authorization_code", "client_id": "app", "redirect_uri": REDIRECT,
                 "code": back["code"]}
        tokens = post(server, TOKEN, code_verifier=VERIFIER, **trade)
        tally.equal("the code is worth tokens", tokens.status, 200)
        bearer = {"Authorization": f"Bearer {tokens.json()['access_token']}"}
        told = server.send(f"{BASE}/userinfo", headers=bearer)
        tally.check("userinfo", told.status == 200 and told.json()["email"] == "viewer@a.test" and
                    told.json()["custId"] == str(CUSTOMER), repr(told))
        tally.check("userinfo without a token", server.send(f"{BASE}/userinfo").is_problem(401))
        tally.equal("the code again is refused",
                    post(server, TOKEN, code_verifier=VERIFIER, **trade).status, 400)
        tally.equal("and ends the login", post(
            server, TOKEN, grant_type="refresh_token", client_id="app",
            refresh_token=tokens.json()["refresh_token"]).status, 400)
        for name, changes in {
                "another URI": {"redirect_uri": "https://evil.test/"},
                "a longer URI": {"redirect_uri": REDIRECT + "/x"},
                "another client's URI": {"client_id": "playhead-portal"},
                "our own origin, not for this client": {"redirect_uri": server.url + "/x"},
                "an unknown client": {"client_id": "<script>"}, "no PKCE": {"code_challenge": ""},
                "plain PKCE": {"code_challenge_method": "plain"},
                "a token instead": {"response_type": "token"}}.items():
            answer = server.send(authorization(**changes))
            tally.check(f"{name}: an error page, no redirect", answer.status in (400, 401) and
                        answer.type == "text/html" and "location" not in answer.headers and
                        b"<form" not in answer.body and b"<script" not in answer.body, repr(answer))
        nasty = server.send(authorization(state='"><script>alert(1)</script>'))
        tally.check("what is repeated is escaped", b"<script" not in nasty.body)
        login = log_in(server, "viewer@a.test").json()
        tally.equal("logout", post(server, f"{BASE}/logout",
                                   refresh_token=login["refresh_token"]).status, 204)
        tally.equal("ends the login", post(server, TOKEN, grant_type="refresh_token",
                                           client_id="smartsight-backend",
                                           refresh_token=login["refresh_token"]).status, 400)
        logout_by_browser(tally, server)


def logout_by_browser(tally, server):
    """RP-initiated logout: the hint ends the login, and only a registered target is gone on to."""
    login = log_in(server, "viewer@a.test").json()

    def go(**query):
        return server.send(f"{BASE}/logout?{urllib.parse.urlencode(query)}")

    def alive():
        nonlocal login
        answer = post(server, TOKEN, grant_type="refresh_token", client_id="smartsight-backend",
                      refresh_token=login["refresh_token"])
        login = answer.json() if answer.status == 200 else login
        return answer.status == 200
    for name, query in {
            "no id token": {"id_token_hint": login["access_token"]},
            "another client": {"id_token_hint": login["id_token"], "client_id": "app"},
            "not registered": {"client_id": "smartsight-backend",
                               "post_logout_redirect_uri": "https://evil.test/"},
            "registered for logging in": {"client_id": "app", "post_logout_redirect_uri": REDIRECT},
            "of nobody": {"post_logout_redirect_uri": AFTER_LOGOUT}}.items():
        answer = go(**query)
        tally.check(f"logout, {name}: a page, no redirect", answer.status == 400 and
                    answer.type == "text/html" and "location" not in answer.headers, repr(answer))
    tally.check("nobody was logged out by that", alive())
    answer = go(id_token_hint=login["id_token"], post_logout_redirect_uri=AFTER_LOGOUT, state="a&b")
    tally.check("logged out and on to the application", answer.status == 303 and
                answer.headers.get("location") == AFTER_LOGOUT + "?state=a%26b", repr(answer))
    tally.check("the login has ended", not alive())
    answer = go()
    tally.check("without anything: a page", answer.status == 200 and b"logged out" in answer.body,
                repr(answer))
    login = log_in(server, "viewer@a.test").json()
    answer = post(server, f"{BASE}/logout", id_token_hint=login["id_token"])
    tally.check("by POST as well", answer.status == 200 and not alive(), repr(answer))
    found = server.send(f"{BASE.split('/protocol')[0]}/.well-known/openid-configuration").json()
    tally.check("where discovery says", found["end_session_endpoint"].endswith(f"{BASE}/logout"))


if __name__ == "__main__":
    sys.exit(harness.run_cases([who_may, users, a_demoted_admin_is_one_no_more, keys_and_tags,
                                tenants, nobody_crosses_over, bad_input, browser_login]))

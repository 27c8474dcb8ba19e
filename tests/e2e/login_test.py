"""A browser is let in by a link for once: against a real daemon, spoken to as a browser does."""
import http.client
import json
import os
import re
import unittest
from urllib.parse import urlsplit

from harness import PATIENCE, Case, until


class Answer:
    def __init__(self, response):
        self.status, self.headers = response.status, response.headers
        self.text = response.read().decode()

    def cookie(self):
        """name=value, as it is sent back."""
        return self.headers["Set-Cookie"].split(";")[0]


class Login(Case):
    def setUp(self):
        super().setUp()
        self.simulated()
        self.port = self.place.tcp_port()
        self.origin = f"http://127.0.0.1:{self.port}"

    def ask(self, method, target, body=None, **headers):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        try:
            connection.request(method, target, body, headers)
            return Answer(connection.getresponse())
        finally:
            connection.close()

    def link(self):
        ran = self.expect(self.estiva("login"), 0, "within 60 s")
        self.assertIn(f"ssh -L {self.port}:127.0.0.1:{self.port} ", ran.err)
        url = urlsplit(ran.out.strip())
        self.assertEqual([url.scheme, url.netloc, url.path], ["http", f"127.0.0.1:{self.port}", "/login"])
        return f"{url.path}?{url.query}"

    def press(self, link, **headers):
        """What the page's button does, with what the page itself says."""
        page = self.ask("GET", link)
        self.assertEqual(page.status, 200, page.text)
        form = re.search(r'<form method="post" action="([^"]+)">\s*<input type="hidden" name="code" value="([^"]+)">',
                         page.text)
        return self.ask("POST", form[1], f"code={form[2]}", **{
            "Content-Type": "application/x-www-form-urlencoded", "Origin": self.origin, **headers})

    def log_in(self):
        answer = self.press(self.link())
        self.assertEqual(answer.status, 303, answer.text)
        return answer.cookie()

    def test_a_browser_comes_in_looks_around_and_leaves(self):
        closed = self.ask("GET", "/")
        self.assertEqual(closed.status, 401)
        self.assertIn("<code>estiva login</code>", closed.text)
        answer = self.press(self.link())
        self.assertEqual([answer.status, answer.headers["Location"]], [303, "/"])
        flags = [flag.strip() for flag in answer.headers["Set-Cookie"].split(";")[1:]]
        self.assertEqual(flags, ["HttpOnly", "SameSite=Strict", "Path=/", "Max-Age=604800"])
        self.assertRegex(answer.cookie(), rf"^estiva_session_{self.port}=[0-9a-f]{{64}}$")
        cookie = answer.cookie()
        front = self.ask("GET", "/", Cookie=cookie)
        self.assertEqual(front.status, 200)
        self.assertIn("SIMULATED", front.text)
        self.assertEqual(front.headers["Cache-Control"], "no-store")
        for target in re.findall(r'href="([^"]+)"', front.text):
            found = self.ask("GET", target, Cookie=cookie)
            self.assertEqual(found.status, 200, target)
            self.assertTrue(found.text, target)
        self.assertEqual(json.loads(self.ask("GET", "/api/v1/status", Cookie=cookie).text)["schema"],
                         "estiva/status/1")
        self.assertEqual(self.ask("POST", "/logout", Cookie=cookie).status, 403)
        out = self.ask("POST", "/logout", Cookie=cookie, Origin=self.origin)
        self.assertEqual(out.status, 303)
        self.assertIn("Max-Age=0", out.headers["Set-Cookie"])
        self.assertEqual(self.ask("GET", "/", Cookie=cookie).status, 401)
        self.assertEqual(self.ask("GET", "/api/v1/status", Cookie=cookie).status, 401)

    def test_a_link_is_good_once_and_looking_at_it_is_free(self):
        link = self.link()
        for method in ("HEAD", "GET", "HEAD"):
            looked = self.ask(method, link)
            self.assertEqual(looked.status, 200)
            self.assertIsNone(looked.headers["Set-Cookie"])
        self.assertEqual(self.press(link).status, 303)
        again = self.press(link)
        self.assertEqual(again.status, 403)
        self.assertIsNone(again.headers["Set-Cookie"])
        self.assertIn("was used before", again.text)

    def test_wrong_codes_lock_the_page_and_the_token_still_works(self):
        link = self.link()
        wrong = [self.ask("POST", "/login", "code=" + "0" * 32).status for _ in range(10)]
        self.assertEqual(wrong, [403] * 9 + [429])
        self.assertEqual(self.press(link).status, 429)
        self.expect(self.estiva("login"), 5, "too many wrong codes", "Try again in")
        token = self.estiva("token").out.strip()
        self.assertEqual(self.ask("GET", "/api/v1/gpu", Authorization=f"Bearer {token}").status, 200)

    def test_another_site_gets_nowhere(self):
        cookie = self.log_in()
        self.expect(self.estiva("assign", "llama", "--vram", "1GiB"), 0)
        lease = "/api/v1/leases/llama"
        for origin in ("https://evil.example", "null", "http://127.0.0.1:1", f"http://localhost:{self.port}"):
            self.assertEqual(self.ask("DELETE", lease, Cookie=cookie, Origin=origin).status, 403, origin)
        self.assertEqual(self.ask("DELETE", lease, Cookie=cookie).status, 403)
        self.assertEqual(list(self.place.leases()), ["llama"])
        rebound = {"Host": f"evil.example:{self.port}", "Cookie": cookie}
        for target in ("/", "/api/v1/gpu", self.link()):
            self.assertEqual(self.ask("GET", target, **rebound).status, 403, target)
        self.assertEqual(self.press(self.link(), Host="evil.example").status, 403)
        self.assertEqual(self.ask("DELETE", lease, Cookie=cookie, Origin=self.origin).status, 200)
        self.assertEqual(self.place.leases(), {})

    def test_a_code_is_not_given_over_tcp(self):
        token = self.estiva("token").out.strip()
        self.assertEqual(self.ask("POST", "/api/v1/login").status, 401)
        self.assertEqual(self.ask("POST", "/api/v1/login", Authorization=f"Bearer {token}").status, 403)
        self.assertEqual(self.ask("POST", "/api/v1/login", Cookie=self.log_in(), Origin=self.origin).status, 403)

    def test_all_sessions_end_on_demand_and_with_the_daemon(self):
        first, second = self.log_in(), self.log_in()
        self.expect(self.estiva("login", "--end-all"), 0, "Logged out: 2 browsers.")
        for cookie in (first, second):
            self.assertEqual(self.ask("GET", "/api/v1/gpu", Cookie=cookie).status, 401)
        third, link = self.log_in(), self.link()
        self.place.stop()
        self.place.start_simulated()
        self.port = self.place.tcp_port()
        self.assertEqual(self.ask("GET", "/api/v1/gpu", Cookie=third).status, 401)
        self.assertEqual(self.press(link).status, 403)
        ended = self.expect(self.estiva("login", "--end-all", "--json"), 0).json()
        self.assertEqual(ended, {"schema": "estiva/login/1", "ended": 0})

    def test_json_and_what_is_never_written_down(self):
        document = self.expect(self.estiva("login", "--json"), 0).json()
        self.assertEqual(document["schema"], "estiva/login/1")
        self.assertEqual(document["expires_seconds"], 60)
        code = re.fullmatch(rf"http://127\.0\.0\.1:{self.port}/login\?code=([0-9a-f]{{32}})", document["urls"][0])[1]
        cookie = self.press(f"/login?code={code}").cookie()
        self.place.stop()
        log = self.place.read_log()
        self.assertIn("listening", log)
        secrets = [code, cookie.split("=")[1]]
        for folder, _, names in os.walk(self.place.dir):
            for name in names:
                with open(os.path.join(folder, name), "rb") as file:
                    text = file.read()
                for secret in secrets:
                    self.assertNotIn(secret.encode(), text, name)


class WithoutTcp(Case):
    def test_says_how_to_switch_it_on(self):
        self.place.start("--listen", "off")
        until(self.place.answers, "the daemon answers")
        self.expect(self.estiva("login"), 5, "TCP", "--listen 127.0.0.1:7700")

    def test_and_without_a_daemon_how_to_start_one(self):
        self.expect(self.estiva("login"), 5, "is not running")


if __name__ == "__main__":
    unittest.main(verbosity=2)

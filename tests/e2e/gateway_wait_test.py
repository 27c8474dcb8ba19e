"""The gateway's desk: who waits, who goes, and what happens where estivad, an engine or a client is
gone."""
import contextlib
import json
import os
import socket
import threading
import time
import unittest

from gateway_place import GatewayPlace, Upstream, in_background, pause
from harness import PATIENCE, until


class Case(unittest.TestCase):
    def place(self, *flags, **more):
        place = GatewayPlace(*flags, **more)
        self.addCleanup(place.close)
        return place


def post(target, body):
    return (f"POST {target} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n\r\n{body}").encode()


class Waiting(Case):
    def test_all_who_wait_go_when_the_model_opens(self):
        place = self.place()
        upstream = place.upstream("a")
        waiting = [in_background(lambda: place.chat("a")) for _ in range(40)]
        until(lambda: sum(m["kind"] == "want" for m in place.estivad.said) == 40, "40 wants")
        self.assertEqual(upstream.requests, [])
        place.open("a", upstream)
        for one in waiting:
            status, headers, answer = one.result()
            self.assertEqual((status, answer["engine"]), (200, "a"))
            self.assertGreaterEqual(int(headers["x-estiva-queue-ms"]), 0)
        tickets = [m["ticket"] for m in place.estivad.said if m["kind"] == "want"]
        self.assertEqual(len(set(tickets)), 40)
        place.estivad.heard("use", model="a", began=40, in_flight=0)

    def test_a_stream_is_kept_company_where_it_asks_for_that(self):
        def stream(request):
            request.read_body()
            request.start_events()
            request.send_chunk(b"data: 1\n\n")
            request.send_chunk(b"")
        place = self.place()
        wish = {"x-estiva-wait-comments": "1"}
        asks = {"model": "a", "stream": True}
        company = in_background(lambda: place.call("/v1/completions", asks, wish))
        refused = in_background(lambda: place.call("/v1/completions", dict(asks, model="b"), wish))
        alone = [in_background(lambda: place.call("/v1/completions", asks)),
                 in_background(lambda: place.call("/v1/completions", {"model": "a", "stream": False}, wish))]
        place.estivad.send("place", ticket=place.estivad.heard("want", model="b")["ticket"], why="b: 3 s\nmore")
        time.sleep(5.5)
        place.estivad.send("refuse", ticket=place.estivad.heard("want", model="b")["ticket"], why="no room")
        place.serve("a", stream)
        status, headers, text = company.result()
        self.assertEqual((status, headers["content-type"], text),
                         (200, "text/event-stream", b": waiting for the model a\n\ndata: 1\n\n"))
        text = refused.result()[2]
        self.assertTrue(text.startswith(b": b: 3 s more\n\ndata: {\"error\""), text)
        self.assertEqual([one.result()[2] for one in alone], [b"data: 1\n\n"] * 2)

    def test_an_open_model_costs_no_question(self):
        place = self.place()
        place.serve("a")
        for _ in range(5):
            self.assertEqual(place.chat("a")[0], 200)
        self.assertFalse([m for m in place.estivad.said if m["kind"] == "want"])

    def test_a_client_that_hangs_up_leaves_the_queue(self):
        place = self.place()
        wire = place.raw()
        wire.sendall(post("/v1/chat/completions", '{"model":"a"}'))
        ticket = place.estivad.heard("want", model="a")["ticket"]
        wire.close()
        place.estivad.heard("leave", ticket=ticket)
        upstream = place.serve("a")
        self.assertEqual(place.chat("a")[0], 200)
        self.assertEqual(len(upstream.requests), 1)

    def test_a_refusal_is_told_with_its_reason_and_when_to_come_again(self):
        place = self.place()
        one = in_background(lambda: place.chat("a"))
        ticket = place.estivad.heard("want")["ticket"]
        place.estivad.send("place", ticket=ticket, place=3)
        place.estivad.send("refuse", ticket=ticket, status=504, why="its bound is past", remedy="Wait",
                           retry_after_seconds=2.2)
        status, headers, answer = one.result()
        self.assertEqual((status, headers["retry-after"], headers["x-estiva-queue-place"]), (504, "3", "3"))
        self.assertIn("its bound is past. Wait", answer["error"]["message"])

    def test_parallel_lets_so_many_in_and_the_others_in_order(self):
        now, most, order = [0], [0], []
        lock = threading.Lock()

        def slow(request):
            with lock:
                now[0] += 1
                most[0] = max(most[0], now[0])
                order.append(json.loads(request.read_body())["i"])
            time.sleep(0.05)
            with lock:
                now[0] -= 1
            request.respond(200, b"{}")
        place = self.place(routes=[{"model": "a", "parallel": 2}])
        waiting = []
        for i in range(10):  # one after the other, so that the order of arrival is known
            waiting.append(in_background(
                lambda i=i: place.call("/v1/completions", {"model": "a", "i": i})))
            until(lambda: sum(m["kind"] == "want" for m in place.estivad.said) == i + 1, "it waits")
        place.serve("a", slow)
        self.assertEqual([one.result()[0] for one in waiting], [200] * 10)
        self.assertEqual(most, [2])
        for i in range(10):  # the two that are inside together may reach the engine either way round
            self.assertLessEqual(abs(order.index(i) - i), 1, order)

    def test_a_slow_upload_gives_its_place_to_others(self):
        place = self.place("--upload-grace", "500ms", routes=[{"model": "a", "parallel": 1}])
        place.serve("a")
        head = b'{"model":"a","prompt":"' + b"x" * (70 << 10)
        slow = place.connect()
        slow.putrequest("POST", "/v1/completions")
        slow.putheader("Content-Type", "application/json")
        slow.putheader("Content-Length", str(1 << 20))
        slow.endheaders()
        slow.send(head)  # its model is known and it has the one place
        place.estivad.heard("use", model="a", in_flight=1)
        other = in_background(lambda: place.chat("a"))
        stopped = threading.Event()

        def drip():
            with contextlib.suppress(OSError):
                while not stopped.wait(0.05):
                    slow.send(b"x" * 512)
        dripping = in_background(drip)
        response = slow.getresponse()
        self.assertEqual((response.status, response.getheader("x-estiva-reason")), (408, "too-slow"))
        stopped.set()
        dripping.result()
        self.assertEqual(other.result()[0], 200)

    def test_a_full_queue_refuses_one_more(self):
        place = self.place(routes=[{"model": "a", "queue_limit": 2}])
        waiting = [in_background(lambda: place.chat("a")) for _ in range(2)]
        until(lambda: sum(m["kind"] == "want" for m in place.estivad.said) == 2, "two wait")
        status, headers, _ = place.chat("a")
        self.assertEqual((status, headers["x-estiva-reason"]), (503, "queue-full"))
        place.serve("a")
        self.assertEqual([one.result()[0] for one in waiting], [200, 200])

    def test_a_closed_model_admits_nobody_and_tells_when_the_last_has_left(self):
        release = threading.Event()

        def held(request):
            request.read_body()
            release.wait(PATIENCE)
            request.respond(200, b"{}")
        place = self.place()
        place.serve("a", held)
        first = in_background(lambda: place.chat("a"))
        place.estivad.heard("use", in_flight=1)
        place.estivad.send("close", model="a", generation=1, why="room")
        self.assertEqual(place.estivad.heard("closed", model="a")["in_flight"], 1)
        second = in_background(lambda: place.chat("a"))
        place.estivad.heard("want", model="a")
        release.set()
        self.assertEqual(first.result()[0], 200)
        place.estivad.heard("use", model="a", generation=1, in_flight=0)
        self.assertFalse(second.ended())
        place.serve("a")
        self.assertEqual(second.result()[0], 200)

    def test_a_cut_ends_what_is_under_way_with_the_sentence(self):
        def stream(request):
            request.read_body()
            request.start_events()
            request.send_chunk(b"data: 1\n\n")
            request.reader.read(1)
            return False
        place = self.place()
        place.serve("a", stream)
        wire = place.raw()
        wire.sendall(post("/v1/chat/completions", '{"model":"a"}'))
        place.estivad.heard("use", in_flight=1)
        reader = wire.makefile("rb")
        until(lambda: b"data: 1" in reader.peek(), "the first event")
        place.estivad.send("close", model="a", generation=1)
        place.estivad.send("cut", model="a", generation=1, why="the drain is over")
        text = b""
        while not text.endswith(b"0\r\n\r\n"):
            text += reader.read1(65536)
        self.assertIn(b"data: 1\n\n", text)
        self.assertIn(b'"message":"the drain is over"', text)
        place.estivad.heard("use", model="a", in_flight=0)


class WithoutEstivad(Case):
    def test_open_models_go_on_and_those_who_wait_are_asked_for_again(self):
        place = self.place()
        upstream = place.serve("a")
        self.assertEqual(place.chat("a")[0], 200)
        place.estivad.leave()
        self.assertEqual(place.chat("a")[0], 200)
        waiting = in_background(lambda: place.chat("b"))
        pause()
        started = time.monotonic()
        place.estivad.listen()
        hello = place.estivad.heard("hello")
        self.assertEqual(hello["open"], [{"model": "a", "generation": 1}])
        place.estivad.heard("want", model="b")
        self.assertLess(time.monotonic() - started, 1)
        # The same engine is opened anew by the new daemon.
        place.generation = 10
        place.open("a", upstream)
        self.assertEqual(place.chat("a")[0], 200)
        place.estivad.heard("use", model="a", generation=11)
        place.serve("b")
        self.assertEqual(waiting.result()[0], 200)

    def test_a_stream_goes_on_through_a_restart(self):
        steps = threading.Semaphore(0)

        def stream(request):
            request.read_body()
            request.start_events()
            for i in range(3):
                steps.acquire()
                request.send_chunk(b"data: %d\n\n" % i)
            request.send_chunk(b"")
            return False
        place = self.place()
        upstream = place.serve("a", stream)
        one = in_background(lambda: place.chat("a"))
        steps.release()
        place.estivad.heard("use", in_flight=1)
        place.estivad.leave()
        steps.release()
        place.estivad.listen()
        self.assertEqual(place.estivad.heard("hello")["open"],
                         [{"model": "a", "generation": 1, "in_flight": 1}])
        place.generation = 7
        place.open("a", upstream)
        place.estivad.heard("use", generation=8, in_flight=1)
        steps.release()
        self.assertEqual(one.result()[2], b"data: 0\n\ndata: 1\n\ndata: 2\n\n")
        place.estivad.heard("use", generation=8, in_flight=0)

    def test_nobody_waits_for_ever(self):
        place = self.place()
        place.estivad.heard("hello")
        place.estivad.leave()
        started = time.monotonic()
        status, headers, _ = place.chat("a")
        self.assertEqual((status, headers["x-estiva-reason"], headers["retry-after"]), (503, "no-estivad", "5"))
        self.assertAlmostEqual(time.monotonic() - started, 10, delta=3)


class Faults(Case):
    def test_an_engine_that_dies_in_a_stream_is_told_as_an_event(self):
        def dies(kind, text):
            def answer(request):
                request.read_body()
                request.start_events(kind)
                request.send_chunk(text)
                return False
            return answer
        place = self.place(models=("sse", "half", "lines"))
        place.serve("sse", dies("text/event-stream", b'data: {"x":1}\n\n'))
        place.serve("half", dies("text/event-stream", b'data: {"x":'))
        place.serve("lines", dies("application/x-ndjson", b'{"x":1}\n'))
        text = place.chat("sse")[2]
        self.assertTrue(text.startswith(b'data: {"x":1}\n\ndata: {"error":'), text)
        text = place.call("/v1/messages", {"model": "sse"})[2]
        self.assertIn(b'\n\nevent: error\ndata: {"type":"error"', text)
        lines = place.call("/api/chat", {"model": "lines"})[2].splitlines()
        self.assertIn("the engine of lines failed", json.loads(lines[1])["error"])
        with self.assertRaises(Exception):  # in the middle of an event nothing can be said
            place.chat("half")
        place.estivad.heard("use", model="sse", failed=2)

    def test_an_engine_that_is_gone_is_a_502_and_is_told(self):
        place = self.place()
        port = socket.create_server(("127.0.0.1", 0))
        address = "127.0.0.1:%d" % port.getsockname()[1]
        port.close()
        place.open("a", address)
        status, _, answer = place.chat("a")
        self.assertEqual(status, 502)
        self.assertIn("the engine of a failed", answer["error"]["message"])
        place.estivad.heard("use", model="a", failed=1)

    def test_a_kept_connection_that_the_engine_closed_is_tried_again_once(self):
        count = [0]

        def once_each(request):
            count[0] += 1
            Upstream.echo(request)
            return False  # closes although it said nothing of that
        place = self.place()
        place.serve("a", once_each)
        for _ in range(10):
            self.assertEqual(place.chat("a")[0], 200)
        self.assertEqual(count[0], 10)

    def test_a_request_is_not_sent_twice_to_an_engine_that_died_over_it(self):
        count = [0]

        def dies(request):
            request.read_body()
            count[0] += 1
            return False
        place = self.place()
        place.serve("a", dies)
        self.assertEqual(place.chat("a")[0], 502)
        self.assertEqual(count[0], 1)

    def test_a_client_that_hangs_up_ends_the_call(self):
        gone = threading.Event()

        def waits(request):
            request.read_body()
            request.reader.read(1)
            gone.set()
            return False
        place = self.place()
        upstream = place.serve("a", waits)
        wire = place.raw()
        wire.sendall(post("/v1/completions", '{"model":"a"}'))
        until(lambda: upstream.requests, "the engine has it")
        wire.close()
        self.assertTrue(gone.wait(PATIENCE))
        place.estivad.heard("use", in_flight=0)

    def test_a_client_that_stops_in_its_body_is_not_the_engine_s_fault(self):
        place = self.place()
        cut = []

        def takes(request):
            try:
                request.read_body()
            except OSError:
                cut.append(request)
            return False
        place.serve("a", takes)
        head = b"POST /v1/completions HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\n"
        for begin in (b'{"p":"', b'{"model":"a","p":"' + b"x" * 200_000):  # before the model is known, and after
            wire = place.raw()
            wire.sendall(head + begin)
            pause()
            wire.close()
        until(lambda: len(cut) == 1, "the engine sees the end")
        place.estivad.heard("use", in_flight=0, began=1)
        stalled = place.raw()
        stalled.sendall(head + b'{"model":"a","p":"' + b"x" * 200_000)
        self.assertIn(b" 408 ", stalled.makefile("rb").readline())  # after body_window, 10 s
        self.assertEqual(place.estivad.heard("use", in_flight=0, began=2).get("failed", 0), 0)

    def test_a_second_model_at_the_end_of_a_long_body_never_gets_there_whole(self):
        ended = []

        def takes(request):
            try:
                request.read_body()
                ended.append("whole")
            except (OSError, ValueError):
                ended.append("cut")
            return False
        place = self.place()
        place.serve("a", takes)
        body = b'{"model":"a","p":"%s","model":"b"}' % (b"x" * (1 << 20))
        self.assertEqual(place.call("/v1/completions", body)[0], 400)
        until(lambda: ended, "the engine sees the end")
        self.assertEqual(ended, ["cut"])

    def test_one_byte_a_time_holds_no_place(self):
        place = self.place(routes=[{"model": "a", "parallel": 1}])
        place.serve("a")
        wire = place.raw()
        text = post("/v1/completions", '{"model":"a","prompt":"slow"}')
        for byte in text[:-1]:
            wire.sendall(bytes([byte]))
        self.assertEqual(place.chat("a")[0], 200)  # the only place was free
        wire.sendall(text[-1:])
        self.assertIn(b" 200 ", wire.makefile("rb").readline())


if __name__ == "__main__":
    unittest.main()

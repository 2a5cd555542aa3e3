"""A name server in its own process: names under `silent.example` get no answer, and no other name exists."""

import multiprocessing
import socket


def start():
    """The server, with its `port` and `stop`."""
    return NameServer()


class NameServer:
    def __init__(self):
        listener = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        listener.bind(("127.0.0.1", 0))
        self.port = listener.getsockname()[1]
        self.settings = {"nameserver": f"127.0.0.1:{self.port}"}
        self.domains = {}
        self.process = multiprocessing.Process(target=self.serve, args=(listener,), daemon=True)
        self.process.start()
        listener.close()

    @staticmethod
    def serve(listener):
        while True:
            question, sender = listener.recvfrom(4096)
            if b"\x06silent" in question:
                continue
            end = question.index(b"\0", 12) + 5
            # Flags: recursion available, no such name; then the question again, and no records.
            answer = question[:2] + b"\x81\x83\x00\x01\x00\x00\x00\x00\x00\x00" + question[12:end]
            listener.sendto(answer, sender)

    def stop(self):
        self.process.kill()
        self.process.join()

"""What connections inherit from the socket that they are accepted on."""

import socket

from commands.http_server import SEND_BUFFER_BYTES, UNACKNOWLEDGED_MILLISECONDS, bound_what_waits


def test_the_kernel_keeps_little_for_a_client_and_not_for_long():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        bound_what_waits(listener)
        with socket.create_connection(listener.getsockname()), listener.accept()[0] as connection:
            # Linux doubles what it is asked for, for its own bookkeeping.
            assert connection.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF) <= 2 * SEND_BUFFER_BYTES
            if hasattr(socket, "TCP_USER_TIMEOUT"):
                assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == UNACKNOWLEDGED_MILLISECONDS

//! TCP ports against each other and against the standard library's sockets, over io_uring and over
//! plain sockets.

mod ends;

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::time::Instant;

use ends::{End, PATIENCE, drive, joined, nets, pattern};
use nic::{Conn, ConnectError, Net, RealNet, Sqpoll, TcpLimits, TcpPort, UringOptions};

#[test]
fn engine_is_reported() {
    let [mut first, _, mut second] = nets();
    let limits = TcpLimits::default();
    assert!(["io_uring", "sockets"].contains(&first.tcp_client(limits).unwrap().mode()));
    assert_eq!(second.tcp_client(limits).unwrap().mode(), "sockets");
}

#[test]
fn bytes_cross_both_ways_through_small_buffers() {
    for mut net in nets() {
        let limits = TcpLimits {
            receive_bytes: 700,
            send_bytes: 1000,
            ..TcpLimits::default()
        };
        let (mut server, mut client, here, there) = joined(&mut net, limits);
        let (up, down) = (pattern(100_000, 1), pattern(70_000, 2));
        let (mut up_sent, mut down_sent) = (0, 0);
        drive(&mut [&mut server, &mut client], |e| {
            down_sent += e[0].port.send(there, &down[down_sent..]);
            up_sent += e[1].port.send(here, &up[up_sent..]);
            assert!(e[1].port.unsent(here) + e[1].port.send_room(here) == 1000);
            e[0].received(there).len() == up.len() && e[1].received(here).len() == down.len()
        });
        assert!(server.received(there) == up && client.received(here) == down);
        let (at_server, at_client) = (server.port.stats(), client.port.stats());
        assert_eq!((at_server.bytes_in, at_client.bytes_in), (100_000, 70_000));
        assert_eq!(
            (
                at_server.accepted,
                at_server.connections,
                at_client.connections
            ),
            (1, 1, 1)
        );
    }
}

#[test]
fn close_lets_unsent_bytes_out_first() {
    for mut net in nets() {
        // More than the kernel takes at once, and time for that on a busy machine.
        let limits = TcpLimits {
            send_bytes: 16 << 20,
            linger_ms: 60_000,
            ..TcpLimits::default()
        };
        let (mut server, mut client, here, there) = joined(&mut net, limits);
        let last = pattern(16 << 20, 3);
        // Bytes the closing side never reads must not turn the end into a reset.
        assert_eq!(client.port.send(here, b"unread"), 6);
        assert_eq!(server.port.send(there, &last), last.len());
        server.port.close(there);
        assert_eq!(server.port.send(there, b"late"), 0);
        drive(&mut [&mut server, &mut client], |e| {
            !e[0].closed.is_empty() && !e[1].closed.is_empty()
        });
        assert!(client.received(here) == last);
        assert_eq!((server.closed[0], client.closed[0]), (there, here));
        assert_eq!(server.port.stats().resets + client.port.stats().resets, 0);
        drive(&mut [&mut server, &mut client], |e| {
            e.iter().all(|end| end.port.stats().connections == 0)
        });
        assert_eq!(client.port.send_room(here), 0);
    }
}

#[test]
fn many_connections_and_places_are_reused_under_new_names() {
    for mut net in nets() {
        let limits = TcpLimits {
            connections: 8,
            ..TcpLimits::default()
        };
        let mut server = End::listen(&mut net, limits);
        let mut client = End::client(&mut net, limits);
        let mut names = Vec::new();
        for round in 1..=3 {
            let conns: Vec<Conn> = (0..8)
                .map(|_| client.port.connect(server.address()).unwrap())
                .collect();
            assert_eq!(
                client.port.connect(server.address()),
                Err(ConnectError::Full)
            );
            drive(&mut [&mut server, &mut client], |e| {
                e[1].opened.len() == 8 * round
            });
            for (n, &conn) in conns.iter().enumerate() {
                assert_eq!(client.port.send(conn, &[n as u8; 100]), 100);
                client.port.close(conn);
            }
            names.extend(conns);
            drive(&mut [&mut server, &mut client], |e| {
                let free = e.iter().all(|end| end.port.stats().connections == 0);
                free && e[0].closed.len() == 8 * round && e[1].closed.len() == 8 * round
            });
        }
        names.sort();
        names.dedup();
        assert_eq!(names.len(), 24);
        assert!(server.data.values().all(|bytes| bytes.len() == 100));
        assert_eq!(server.data.len(), 24);
    }
}

#[test]
fn one_peer_too_many_is_refused_and_counted() {
    for mut net in nets() {
        let limits = TcpLimits {
            connections: 1,
            ..TcpLimits::default()
        };
        let mut server = End::listen(&mut net, limits);
        let mut client = End::client(&mut net, TcpLimits::default());
        let first = client.port.connect(server.address()).unwrap();
        drive(&mut [&mut server, &mut client], |e| e[0].opened.len() == 1);
        let second = client.port.connect(server.address()).unwrap();
        drive(&mut [&mut server, &mut client], |e| {
            e[1].closed.contains(&second)
        });
        assert_eq!(server.port.stats().refused, 1);
        assert!(!client.closed.contains(&first));
        client.port.close(first);
        drive(&mut [&mut server, &mut client], |e| {
            e[0].port.stats().connections == 0
        });
        client.port.connect(server.address()).unwrap();
        drive(&mut [&mut server, &mut client], |e| e[0].opened.len() == 2);
    }
}

#[test]
fn dialling_nobody_gives_closed_alone() {
    for mut net in nets() {
        // An address of its own: no other test can be given the port meanwhile.
        let vacant = TcpListener::bind("127.0.0.77:0").unwrap();
        let address = vacant.local_addr().unwrap();
        drop(vacant);
        let mut client = End::client(&mut net, TcpLimits::default());
        let conn = client.port.connect(address).unwrap();
        drive(&mut [&mut client], |e| e[0].closed == [conn]);
        assert!(client.opened.is_empty());
        let stats = client.port.stats();
        assert_eq!((stats.connect_errors, stats.connections), (1, 0));
    }
}

#[test]
fn reset_is_counted_and_ends_the_connection() {
    for mut net in nets() {
        let mut server = End::listen(&mut net, TcpLimits::default());
        let mut peer = TcpStream::connect(server.address()).unwrap();
        drive(&mut [&mut server], |e| e[0].opened.len() == 1);
        let conn = server.opened[0].0;
        assert_eq!(server.port.send(conn, b"never read"), 10);
        server.port.poll(&mut |_| {});
        peer.peek(&mut [0; 1]).unwrap();
        peer.write_all(b"x").unwrap();
        drop(peer); // unread bytes: the kernel resets
        drive(&mut [&mut server], |e| e[0].port.stats().connections == 0);
        assert_eq!(server.closed, [conn]);
        assert_eq!(server.port.stats().resets, 1);
    }
}

#[test]
fn peer_that_ends_its_stream_still_gets_the_rest() {
    for mut net in nets() {
        let mut server = End::listen(&mut net, TcpLimits::default());
        let mut peer = TcpStream::connect(server.address()).unwrap();
        drive(&mut [&mut server], |e| e[0].opened.len() == 1);
        let conn = server.opened[0].0;
        let rest = pattern(150_000, 4);
        assert_eq!(server.port.send(conn, &rest), rest.len());
        peer.shutdown(Shutdown::Write).unwrap();
        drive(&mut [&mut server], |e| e[0].closed == [conn]);
        let reader = std::thread::spawn(move || {
            let mut all = Vec::new();
            peer.read_to_end(&mut all).map(|_| all)
        });
        drive(&mut [&mut server], |e| e[0].port.stats().connections == 0);
        assert!(reader.join().unwrap().unwrap() == rest);
    }
}

#[test]
fn bytes_and_the_end_behind_them_leave_a_turn_for_an_answer() {
    for mut net in nets() {
        let limits = TcpLimits {
            connections: 1,
            ..TcpLimits::default()
        };
        let mut server = End::listen(&mut net, limits);
        for _ in 0..20 {
            let mut peer = TcpStream::connect(server.address()).unwrap();
            peer.write_all(b"question").unwrap();
            peer.shutdown(Shutdown::Write).unwrap();
            let before = server.opened.len();
            drive(&mut [&mut server], |e| e[0].opened.len() > before);
            let (conn, _) = server.opened[before];
            drive(&mut [&mut server], |e| e[0].received(conn) == b"question");
            assert_eq!(
                server.port.send(conn, b"answer"),
                6,
                "{}",
                server.port.mode()
            );
            drive(&mut [&mut server], |e| e[0].closed.contains(&conn));
            let reader = std::thread::spawn(move || {
                let mut answer = Vec::new();
                peer.read_to_end(&mut answer).unwrap();
                answer
            });
            drive(&mut [&mut server], |_| reader.is_finished());
            assert_eq!(reader.join().unwrap(), b"answer");
        }
    }
}

#[test]
fn flush_sends_without_a_poll() {
    for mut net in nets() {
        let mut server = End::listen(&mut net, TcpLimits::default());
        let mut peer = TcpStream::connect(server.address()).unwrap();
        peer.set_read_timeout(Some(PATIENCE)).unwrap();
        drive(&mut [&mut server], |e| e[0].opened.len() == 1);
        let conn = server.opened[0].0;
        for word in [b"one", b"two"] {
            assert_eq!(server.port.send(conn, word), 3);
            server.port.flush();
            let mut got = [0; 3];
            peer.read_exact(&mut got).unwrap();
            assert_eq!(&got, word);
            drive(&mut [&mut server], |e| e[0].port.unsent(conn) == 0);
        }
    }
}

#[test]
fn peer_that_never_finishes_is_cut() {
    for mut net in nets() {
        let limits = TcpLimits {
            linger_ms: 20,
            ..TcpLimits::default()
        };
        let mut server = End::listen(&mut net, limits);
        let peer = TcpStream::connect(server.address()).unwrap();
        drive(&mut [&mut server], |e| e[0].opened.len() == 1);
        let conn = server.opened[0].0;
        server.port.close(conn);
        drive(&mut [&mut server], |e| e[0].closed == [conn]);
        assert_eq!(server.port.stats().cut, 1);
        drop(peer);
    }
}

#[test]
fn port_opened_on_one_thread_runs_on_another() {
    for mut net in nets() {
        let mut server = End::listen(&mut net, TcpLimits::default());
        let mut peer = TcpStream::connect(server.address()).unwrap();
        let echo = std::thread::spawn(move || {
            drive(&mut [&mut server], |e| e[0].data.len() == 1);
            let conn = server.opened[0].0;
            assert_eq!(server.port.send(conn, b"pong"), 4);
            server.port.close(conn);
            drive(&mut [&mut server], |e| e[0].port.stats().connections == 0);
        });
        peer.write_all(b"ping").unwrap();
        let mut reply = Vec::new();
        peer.read_to_end(&mut reply).unwrap();
        assert_eq!(reply, b"pong");
        drop(peer);
        echo.join().unwrap();
    }
}

#[test]
fn address_is_free_again_after_drop_on_any_thread() {
    for mut net in nets() {
        for elsewhere in [false, true] {
            let (server, client, ..) = joined(&mut net, TcpLimits::default());
            let address = server.address();
            if elsewhere {
                std::thread::spawn(move || drop((client, server)))
                    .join()
                    .unwrap();
            } else {
                drop((client, server));
            }
            let start = Instant::now();
            while let Err(error) = net.tcp_listen(address, TcpLimits::default()) {
                assert!(start.elapsed() < PATIENCE, "{error}");
                std::thread::yield_now();
            }
        }
    }
}

#[test]
fn limits_out_of_range_are_refused() {
    let mut net = RealNet::new();
    for limits in [
        TcpLimits {
            connections: 0,
            ..TcpLimits::default()
        },
        TcpLimits {
            connections: TcpLimits::CONNECTIONS_MAX + 1,
            ..TcpLimits::default()
        },
        TcpLimits {
            receive_bytes: 0,
            ..TcpLimits::default()
        },
        TcpLimits {
            send_bytes: u32::MAX,
            ..TcpLimits::default()
        },
    ] {
        assert!(net.tcp_client(limits).is_err());
    }
}

#[test]
fn a_paused_connection_waits_and_loses_nothing() {
    for mut net in nets() {
        let limits = TcpLimits {
            receive_bytes: 1_000,
            linger_ms: 60_000,
            ..TcpLimits::default()
        };
        let (mut server, mut client, here, there) = joined(&mut net, limits);
        let other = client.port.connect(server.address()).unwrap();
        drive(&mut [&mut server, &mut client], |e| e[0].opened.len() == 2);
        let beside = server.opened[1].0;
        server.port.pause(there, true);
        let sent = pattern(50_000, 3);
        assert_eq!(client.port.send(here, &sent), sent.len());
        assert_eq!(client.port.send(other, &sent), sent.len());
        drive(&mut [&mut server, &mut client], |e| {
            e[0].received(beside).len() == sent.len()
        });
        assert!(server.received(there).len() <= 2 * 1_000);
        server.port.pause(there, false);
        drive(&mut [&mut server, &mut client], |e| {
            e[0].received(there).len() == sent.len()
        });
        assert!(server.received(there) == sent);
        // Closing a paused connection ends it as any other: its peer's end is heard.
        server.port.pause(there, true);
        assert_eq!(client.port.send(here, &sent), sent.len());
        server.port.close(there);
        client.port.close(here);
        drive(&mut [&mut server, &mut client], |e| {
            e[0].closed == [there] && e[1].closed == [here]
        });
        assert_eq!(server.port.stats().cut, 0);
    }
}

#[test]
fn a_kernel_thread_may_take_the_operations() {
    let mut net = RealNet::with_uring(UringOptions {
        sqpoll: Some(Sqpoll {
            idle_ms: 1,
            core: None,
        }),
        napi_us: Some(20),
        ..UringOptions::default()
    });
    let (mut server, mut client, here, there) = joined(&mut net, TcpLimits::default());
    let Some(state) = server.port.uring() else {
        return; // no io_uring here: said by the port
    };
    assert!(state.is_sqpoll && state.napi.is_some(), "{state}");
    for round in 0..3 {
        let sent = pattern(1_000, round);
        assert_eq!(client.port.send(here, &sent), sent.len());
        let so_far = 1_000 * (round as usize + 1);
        drive(&mut [&mut server, &mut client], |e| {
            e[0].received(there).len() == so_far
        });
        assert!(server.received(there).ends_with(&sent));
    }
    // Whether the kernel's thread sleeps or not: with nothing to start there is nothing to call.
    // What is under way, such as the next accept, may wake it once more.
    let calls = |end: &End| end.port.effort().calls;
    let (mut before, start) = (u64::MAX, Instant::now());
    while calls(&server) != before {
        assert!(start.elapsed() < PATIENCE, "idle turns make system calls");
        before = calls(&server);
        (0..1_000).for_each(|_| _ = server.poll());
    }
    client.port.close(here);
    drive(&mut [&mut server, &mut client], |e| {
        e.iter().all(|end| end.port.stats().connections == 0)
    });
}

#[test]
fn polling_the_cards_queues_changes_nothing_else() {
    let mut net = RealNet::with_uring(UringOptions {
        napi_us: Some(20),
        ..UringOptions::default()
    });
    let (mut server, mut client, here, there) = joined(&mut net, TcpLimits::default());
    if let Some(state) = server.port.uring() {
        println!("{state}");
        assert!(state.napi.is_some());
    }
    let sent = pattern(100_000, 9);
    assert_eq!(client.port.send(here, &sent), sent.len());
    drive(&mut [&mut server, &mut client], |e| {
        e[0].received(there).len() == sent.len()
    });
    assert!(server.received(there) == sent);
}

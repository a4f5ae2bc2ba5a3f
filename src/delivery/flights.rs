//! Requests of one client under way at once, each over a connection of its own.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll};

use crate::wecom::{Client, Error, LANES, Sent};

/// The sending of a message.
pub(super) type Sending = Pin<Box<dyn Future<Output = Result<Sent, Error>>>>;

/// Requests under way, each with what is to be known at its answer.
pub(super) struct Flights<T>([Option<Flight<T>>; LANES]);

struct Flight<T> {
    of: T,
    sending: Sending,
    answer: Option<Result<Sent, Error>>,
}

impl<T> Default for Flights<T> {
    fn default() -> Self {
        Self([const { None }; LANES])
    }
}

impl<T> Flights<T> {
    /// Returns what is under way.
    pub(super) fn iter(&self) -> impl Iterator<Item = &T> {
        self.0.iter().flatten().map(|flight| &flight.of)
    }

    /// Returns the number of a free connection, of the first one if possible.
    pub(super) fn free_lane(&self) -> Option<usize> {
        self.0.iter().position(Option::is_none)
    }

    /// Starts a request over a free connection.
    pub(super) fn start(&mut self, client: &Client, lane: usize, of: T, sending: Sending) {
        let mut flight = Flight {
            of,
            sending,
            answer: None,
        };
        client.wait(async {
            poll_fn(|context| {
                flight.poll(context);
                Poll::Ready(())
            })
            .await;
            // The connection, if it stands, takes the request.
            tokio::task::yield_now().await;
        });
        self.0[lane] = Some(flight);
    }

    /// Waits until one of the requests is answered; `None` if none is under way.
    pub(super) fn land(&mut self, client: &Client) -> Option<(T, Result<Sent, Error>)> {
        self.iter().next()?;
        Some(client.wait(poll_fn(|context| self.poll_landed(context))))
    }

    /// Goes on with the requests; ready when one of them is answered.
    pub(super) fn poll_landed(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<(T, Result<Sent, Error>)> {
        for lane in &mut self.0 {
            if lane.as_mut().is_some_and(|it| it.poll(context))
                && let Some(Flight { of, answer, .. }) = lane.take()
                && let Some(answer) = answer
            {
                return Poll::Ready((of, answer));
            }
        }
        Poll::Pending
    }
}

impl<T> Flight<T> {
    /// Goes on with the request; returns whether it is answered.
    fn poll(&mut self, context: &mut Context<'_>) -> bool {
        if self.answer.is_none()
            && let Poll::Ready(answer) = self.sending.as_mut().poll(context)
        {
            self.answer = Some(answer);
        }
        self.answer.is_some()
    }
}

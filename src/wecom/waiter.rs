//! What requests are waited for with. All clients of a thread share it, so that the requests of each go
//! on while any of them waits.

use std::cell::RefCell;
use std::rc::{Rc, Weak};

use tokio::runtime::{Builder, Runtime};

use super::error::ClientError;

thread_local! {
    static SHARED: RefCell<Weak<Runtime>> = const { RefCell::new(Weak::new()) };
}

/// What runs requests until they are answered.
pub(crate) struct Waiter(Rc<Runtime>);

impl Waiter {
    /// Returns the one of this thread, made if there is none.
    ///
    /// # Errors
    /// If it cannot be made, for lack of descriptors.
    pub(crate) fn new() -> Result<Self, ClientError> {
        SHARED.with_borrow_mut(|shared| {
            if let Some(runtime) = shared.upgrade() {
                return Ok(Self(runtime));
            }
            let runtime = Builder::new_current_thread().enable_all().build();
            let runtime = Rc::new(runtime.map_err(ClientError::Runtime)?);
            *shared = Rc::downgrade(&runtime);
            Ok(Self(runtime))
        })
    }

    /// Runs requests until one of them, or all, have an answer.
    pub(crate) fn wait<T>(&self, requests: impl Future<Output = T>) -> T {
        self.0.block_on(requests)
    }
}

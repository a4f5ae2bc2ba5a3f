//! Claims about what was printed, written or answered.

use serde_json::Value;

/// What a text says.
pub(crate) trait Words {
    /// Holds that this is in it.
    fn shows(&self, words: &str);

    /// Holds that this is not in it.
    fn lacks(&self, words: &str);

    /// Holds that it begins so.
    fn begins(&self, words: &str);

    /// Holds that it ends so.
    fn ends(&self, words: &str);
}

impl Words for str {
    #[track_caller]
    fn shows(&self, words: &str) {
        assert!(self.contains(words), "no {words:?} in {self}");
    }

    #[track_caller]
    fn lacks(&self, words: &str) {
        assert!(!self.contains(words), "{words:?} in {self}");
    }

    #[track_caller]
    fn begins(&self, words: &str) {
        assert!(self.starts_with(words), "no {words:?} before {self}");
    }

    #[track_caller]
    fn ends(&self, words: &str) {
        assert!(self.ends_with(words), "no {words:?} after {self}");
    }
}

/// What an object in JSON has.
pub(crate) trait Fields {
    /// Holds that it has these values by these keys, whatever else it has.
    fn has(&self, fields: Value);
}

impl Fields for Value {
    #[track_caller]
    fn has(&self, fields: Value) {
        for (key, value) in fields.as_object().expect("an object") {
            assert_eq!(self[key], *value, "{key} of {self}");
        }
    }
}

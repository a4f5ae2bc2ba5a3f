//! A request as the services see it: its path, its fields, and what it says of itself.

use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use reqwest::Url;
use serde_json::Value;

use super::json::{object, object_with_list, shown};
use super::multipart;
use crate::commands::lenient;
use crate::message::mail::header_text;
use crate::request_head::RequestHead;

/// Base64 as clients write it: with or without its `=`.
const CONFIG: GeneralPurposeConfig =
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
pub(super) const BASE64: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, CONFIG);
const BASE64_URL: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, CONFIG);

/// A request.
#[derive(Debug)]
pub(super) struct HttpRequest {
    pub(super) method: String,
    /// The path, as it came.
    pub(super) path: String,
    query: Vec<(String, String)>,
    head: Vec<(String, Vec<u8>)>,
    pub(super) body: Vec<u8>,
}

impl HttpRequest {
    /// Returns a request without its body; `None` if its target is no path.
    pub(super) fn of(head: &RequestHead) -> Option<Self> {
        // `//` begins no host here, unlike in a link.
        let (path, query) = if head.target.starts_with('/') {
            let target = head.target.split('#').next().unwrap_or_default();
            let (path, query) = target.split_once('?').unwrap_or((target, ""));
            (path.to_owned(), form_of(query))
        } else {
            let url = Url::parse("http://localhost").ok()?;
            let url = url.join(&head.target).ok()?;
            (url.path().to_owned(), Some(url))
        };
        Some(Self {
            method: head.method.clone(),
            path,
            query: pairs(query.as_ref()).collect(),
            head: head.fields.clone(),
            body: Vec::new(),
        })
    }

    /// Returns the parts of the path.
    pub(super) fn segments(&self) -> Vec<&str> {
        let path = self.path.trim_matches('/');
        path.split('/').filter(|part| !part.is_empty()).collect()
    }

    /// Whether its method is one of these.
    pub(super) fn is(&self, methods: &[&str]) -> bool {
        methods.contains(&&*self.method)
    }

    /// Returns a field of the head, by its name in lower case; its words may be encoded as a mail's.
    pub(super) fn header(&self, name: &str) -> Option<String> {
        let (_, value) = self.head.iter().find(|(known, _)| known == name)?;
        let text = header_text(value);
        Some(text.trim().to_owned()).filter(|text| !text.is_empty())
    }

    /// Returns a value of the query.
    pub(super) fn query(&self, name: &str) -> Option<String> {
        let pair = self.query.iter().find(|(known, _)| known == name)?;
        Some(pair.1.clone()).filter(|text| !text.is_empty())
    }

    /// Returns the body without a byte order mark and space before it.
    fn text(&self) -> &[u8] {
        let body = self.body.strip_prefix("\u{feff}".as_bytes());
        body.unwrap_or(&self.body).trim_ascii_start()
    }

    /// Returns the body as a JSON object, whatever it says that it is.
    pub(super) fn json(&self) -> Option<Value> {
        object(self.text())
    }

    /// The same, with a list of it.
    pub(super) fn json_with_list<L: Default>(
        &self,
        list: &str,
        add: fn(&mut L, Value),
    ) -> Option<(Value, L)> {
        object_with_list(self.text(), list, add)
    }

    /// Returns a value as `form` finds it, without the memory that all of them take: who asks may be
    /// anybody.
    pub(super) fn key_named(&self, name: &str) -> Option<String> {
        let in_body = if self.text().starts_with(b"{") {
            self.json_key(name)
        } else if let Some(boundary) = self.boundary() {
            let mut fields = multipart::fields(&self.body, &boundary).into_iter();
            fields.find(|field| field.0 == name).map(|field| field.1)
        } else {
            let form = form_of(&lenient::text(&self.body));
            pairs(form.as_ref())
                .find(|pair| pair.0 == name)
                .map(|pair| pair.1)
        };
        in_body
            .filter(|it| !it.is_empty())
            .or_else(|| self.query(name))
    }

    /// Returns the text of this field of the body.
    pub(super) fn json_key(&self, name: &str) -> Option<String> {
        shown(&self.json()?[name])
    }

    fn boundary(&self) -> Option<String> {
        multipart::boundary(&self.header("content-type")?)
    }

    /// Returns the values of the body, JSON or a form, and behind them those of the query.
    pub(super) fn form(&self) -> RequestForm {
        let mut pairs = match self.json() {
            // Also where curl says that it is a form.
            Some(Value::Object(fields)) => {
                let fields = fields.into_iter();
                let pairs = fields.filter_map(|(name, value)| Some((name, shown(&value)?)));
                pairs.collect()
            }
            _ => match self.boundary() {
                Some(boundary) => multipart::fields(&self.body, &boundary),
                None => pairs(form_of(&lenient::text(&self.body)).as_ref()).collect(),
            },
        };
        pairs.extend(self.query.iter().cloned());
        RequestForm(pairs)
    }

    /// Returns the key that it names by `Authorization`.
    pub(super) fn authorization(&self) -> Option<String> {
        key_in(&self.header("authorization")?)
    }

    /// Returns the key in ntfy's `?auth=`, which is an `Authorization` in base64.
    pub(super) fn encoded_authorization(&self) -> Option<String> {
        let encoded = self.query("auth")?;
        let bytes = BASE64_URL
            .decode(&encoded)
            .or_else(|_| BASE64.decode(&encoded));
        key_in(&String::from_utf8(bytes.ok()?).ok()?)
    }
}

/// Returns the key in `Bearer KEY`, or in `Basic`, where it is the password or stands alone.
fn key_in(authorization: &str) -> Option<String> {
    let (scheme, rest) = authorization.split_once(' ')?;
    if scheme.eq_ignore_ascii_case("bearer") {
        return Some(rest.trim().to_owned());
    }
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let login = String::from_utf8(BASE64.decode(rest.trim()).ok()?).ok()?;
    let (user, password) = login.split_once(':').unwrap_or((&login, ""));
    let key = if password.is_empty() { user } else { password };
    Some(key.to_owned())
}

/// Returns a URL with this query.
fn form_of(query: &str) -> Option<Url> {
    let mut url = Url::parse("http://localhost").ok()?;
    url.set_query(Some(query));
    Some(url)
}

/// Decodes the query of a URL.
fn pairs(url: Option<&Url>) -> impl Iterator<Item = (String, String)> {
    let pairs = url.into_iter().flat_map(Url::query_pairs);
    pairs.map(|(name, value)| (name.into_owned(), value.into_owned()))
}

/// The values of a request, by name.
#[derive(Debug)]
pub(super) struct RequestForm(Vec<(String, String)>);

impl RequestForm {
    /// Returns the first value of one of these names that is not empty.
    pub(super) fn get(&self, names: &[&str]) -> Option<String> {
        names.iter().find_map(|name| {
            let mut pairs = self.0.iter();
            let pair = pairs.find(|(known, value)| known == name && !value.is_empty())?;
            Some(pair.1.clone())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(text: &str, body: &str) -> HttpRequest {
        let head = crate::request_head::read(&mut text.as_bytes(), 8192).unwrap();
        HttpRequest {
            body: body.as_bytes().to_vec(),
            ..HttpRequest::of(&head).unwrap()
        }
    }

    #[test]
    fn a_form_is_read_in_each_of_its_ways_and_the_body_comes_before_the_query() {
        let multipart =
            "--b\r\nContent-Disposition: form-data; name=\"title\"\r\n\r\n1 + 1\r\n--b--\r\n";
        for (kind, body) in [
            ("application/x-www-form-urlencoded", "title=1+%2B+1&x=y"),
            ("application/json", r#"{"title":"1 + 1","x":null}"#),
            ("application/x-www-form-urlencoded", r#" {"title":"1 + 1"}"#),
            ("multipart/form-data; boundary=\"b\"", multipart),
            ("multipart/form-data; boundary=b", multipart),
        ] {
            let head =
                format!("POST /a/?title=no&b=%E4%BD%A0 HTTP/1.1\r\nContent-Type: {kind}\r\n\r\n");
            let request = request(&head, body);
            let form = request.form();
            assert_eq!(
                form.get(&["name", "title"]).as_deref(),
                Some("1 + 1"),
                "{kind}"
            );
            assert_eq!(form.get(&["b"]).as_deref(), Some("你"), "{kind}");
            assert_eq!((form.get(&["c"]), request.segments()), (None, vec!["a"]));
        }
    }

    #[test]
    fn a_target_is_a_path_however_many_slashes_it_begins_with() {
        for (target, key, title) in [
            ("//abc?title=x#y", "abc", Some("x")),
            ("///abc/", "abc", None),
            ("http://host/abc?title=x", "abc", Some("x")),
        ] {
            let request = request(&format!("POST {target} HTTP/1.1\r\n\r\n"), "");
            assert_eq!(request.segments(), [key], "{target}");
            assert_eq!(request.query("title").as_deref(), title, "{target}");
        }
    }

    #[test]
    fn a_key_is_found_in_each_authorization() {
        let basic = |login: &str| format!("Basic {}", BASE64.encode(login));
        for (value, key) in [
            ("Bearer abc", Some("abc")),
            ("bearer  abc ", Some("abc")),
            (&basic("user:abc"), Some("abc")),
            (&basic(":abc"), Some("abc")),
            (&basic("abc"), Some("abc")),
            (&basic("abc:"), Some("abc")),
            ("Digest abc", None),
            ("Basic !", None),
            ("abc", None),
        ] {
            assert_eq!(key_in(value).as_deref(), key, "{value}");
            let head = format!("GET /?auth={} HTTP/1.1\r\n\r\n", BASE64_URL.encode(value));
            let found = request(&head.replace('=', "%3D").replacen("%3D", "=", 1), "");
            assert_eq!(found.encoded_authorization().as_deref(), key, "{value}");
        }
    }
}

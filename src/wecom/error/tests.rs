use super::*;

#[test]
fn the_status_decides_before_the_body() {
    for (code, class, scope, unknown) in [
        (302, Class::Transient, Scope::App, false),
        (400, Class::Setup, Scope::Unclear, false),
        (403, Class::Setup, Scope::Unclear, false),
        (404, Class::Setup, Scope::Unclear, false),
        (407, Class::Setup, Scope::App, false),
        (408, Class::Transient, Scope::Unclear, true),
        (413, Class::Setup, Scope::Message, false),
        (429, Class::Transient, Scope::Unclear, false),
        (500, Class::Transient, Scope::Unclear, true),
        (502, Class::Transient, Scope::Unclear, true),
    ] {
        let error = Error::status(code, None);
        assert_eq!(
            (error.class, error.scope, error.outcome_unknown()),
            (class, scope, unknown),
            "{code}"
        );
        assert_eq!(error.of_gettoken().scope, Scope::App);
    }
}

#[test]
fn a_refusal_has_the_right_scope() {
    for (errcode, scope) in [
        (60020, Scope::App),
        (45009, Scope::App),
        (301_002, Scope::App),
        (48002, Scope::Call),
        (60011, Scope::Message),
        (92000, Scope::Message),
        (44004, Scope::Message),
        (-1, Scope::Unclear),
        (12345, Scope::Unclear),
    ] {
        let refusal = Refusal::new(errcode, String::new(), false);
        assert_eq!(Error::refused(refusal).scope, scope, "{errcode}");
    }
}

#[test]
fn an_error_of_gettoken_is_never_about_a_message() {
    for (errcode, class, about) in [
        (99999, Class::Setup, About::App),
        (41013, Class::Setup, About::App),
        (40058, Class::Setup, About::App),
        (40003, Class::Setup, About::App),
        (40014, Class::Transient, About::App),
        (40001, Class::Setup, About::Corpsecret),
        (60020, Class::Setup, About::Ip),
        (-1, Class::Busy, About::App),
    ] {
        let refusal = Refusal::new(errcode, String::new(), true);
        assert_eq!((refusal.class, refusal.about), (class, about), "{errcode}");
    }
}

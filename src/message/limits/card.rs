//! The parts of a `template_card`, and which of them each type has.
//!
//! Sources: path 90236 as the SDKs go-workwx and `WxJava` copy it, 91770 for robots, 90313 for the
//! errcodes 420xx. A label's two lengths are what 90236 and 91770 recommend, in characters (字).

use super::rows::Form::{Id, Link, Picture, Plain};
use super::rows::Limit::{self, Most, Unsure};
use super::rows::Need::{Callback, May, Must, Never, Unless, When, With};
use super::rows::Rule::{Between, Flag, Label, Object, OneOf, Text};
use super::rows::Unit::Bytes;
use super::rows::Unsure::MayRefuse;
use super::rows::{List, NO_CODE, Need, Row, Rows, Rule, Variant, Variants};

const fn card_type(name: &'static str, callback: bool, rows: Rows) -> Variant {
    Variant {
        name,
        callback,
        rows,
    }
}

/// 42031: no such `card_type`.
pub(super) const CARD: Rule = Rule::Variants(Variants {
    field: "card_type",
    code: 42031,
    taken: TYPES,
    known: TYPES,
});

/// A robot has no callback: two types, without a menu.
pub(super) const ROBOT_CARD: Rule = Rule::Variants(Variants {
    field: "card_type",
    code: 42031,
    taken: ROBOT_TYPES,
    known: TYPES,
});

/// Name, whether it needs a callback URL, parts.
const TYPES: &[Variant] = &[
    card_type("text_notice", false, TEXT_NOTICE),
    card_type("news_notice", false, NEWS_NOTICE),
    card_type("button_interaction", true, BUTTON_INTERACTION),
    card_type("vote_interaction", true, VOTE_INTERACTION),
    card_type("multiple_interaction", true, MULTIPLE_INTERACTION),
];

const ROBOT_TYPES: &[Variant] = &[
    card_type("text_notice", false, ROBOT_TEXT_NOTICE),
    card_type("news_notice", false, ROBOT_NEWS_NOTICE),
];

const TEXT_NOTICE: Rows = &[
    SOURCE,
    ACTION_MENU,
    MENU_TASK_ID,
    Row("main_title", May, MAIN_TITLE),
    SUB_TITLE_OR_TITLE,
    QUOTE_AREA,
    EMPHASIS,
    HORIZONTAL,
    JUMPS,
    GOAL,
];

const ROBOT_TEXT_NOTICE: Rows = &[
    SOURCE,
    NO_MENU,
    Row("main_title", Must(42033), MAIN_TITLE),
    SUB_TITLE_OR_TITLE,
    QUOTE_AREA,
    EMPHASIS,
    HORIZONTAL,
    JUMPS,
    GOAL,
];

const NEWS_NOTICE: Rows = &[
    SOURCE,
    ACTION_MENU,
    MENU_TASK_ID,
    TITLED,
    Row("card_image", Unless("image_text_area", 42044), CARD_IMAGE),
    IMAGE_TEXT,
    QUOTE_AREA,
    VERTICAL,
    HORIZONTAL,
    JUMPS,
    GOAL,
];

const ROBOT_NEWS_NOTICE: Rows = &[
    SOURCE,
    NO_MENU,
    TITLED,
    Row("card_image", Must(42044), CARD_IMAGE),
    IMAGE_TEXT,
    QUOTE_AREA,
    VERTICAL,
    HORIZONTAL,
    JUMPS,
    GOAL,
];

const BUTTON_INTERACTION: Rows = &[
    SOURCE,
    ACTION_MENU,
    TASK_ID,
    HEADED,
    QUOTE_AREA,
    Row("sub_title_text", May, SUB_TITLE),
    HORIZONTAL,
    Row("button_selection", May, Object(SELECTION)),
    Row("button_list", Must(NO_CODE), BUTTONS),
    Row("card_action", May, Object(&[TYPE, URL, APPID, PAGEPATH])),
];

const VOTE_INTERACTION: Rows = &[
    SOURCE,
    TASK_ID,
    HEADED,
    Row("checkbox", Must(NO_CODE), Object(CHECKBOX)),
    SUBMIT,
];

const MULTIPLE_INTERACTION: Rows = &[
    SOURCE,
    TASK_ID,
    HEADED,
    Row("select_list", Must(42047), list(1, 3, 42047, SELECTION)),
    SUBMIT,
];

const fn list(min: usize, max: usize, code: u32, rows: Rows) -> Rule {
    Rule::List(List {
        min,
        max,
        code,
        unique: None,
        rows,
    })
}

const ANY: Rule = Text(Plain, &[]);
const KEY: Rule = Text(Plain, &[Most(1024, Bytes, NO_CODE)]);
const OPTION_ID: Rule = Text(Plain, &[Most(128, Bytes, NO_CODE)]);

/// The errcode speaks of all URLs; the pages have no limit for those of a card.
const LONG_URL: Limit = Unsure(1024, Bytes, MayRefuse(40039));
const LINK: Rule = Text(Link(40094), &[LONG_URL]);
const IMAGE: Rule = Text(Picture, &[LONG_URL]);

/// 0 nothing, 1 a url, 2 a mini program: what is touched leads there.
const TYPE: Row = Row("type", May, OneOf(&[0, 1, 2], NO_CODE));
const URL: Row = Row("url", When("type", 1, 42028), LINK);
const APPID: Row = Row("appid", When("type", 2, 42030), ANY);
const PAGEPATH: Row = Row("pagepath", May, ANY);

/// `desc_color`: grey, black, red, green.
const SOURCE: Row = Row(
    "source",
    May,
    Object(&[
        Row("icon_url", May, IMAGE),
        Row("desc", May, Label(20, 13)),
        Row("desc_color", May, OneOf(&[0, 1, 2, 3], NO_CODE)),
    ]),
);

/// Two alike: 42051.
const ACTION_MENU: Row = Row("action_menu", Callback, Object(MENU));
const MENU: Rows = &[
    Row("desc", May, ANY),
    Row(
        "action_list",
        Must(NO_CODE),
        Rule::List(List {
            min: 1,
            max: 3,
            code: NO_CODE,
            unique: Some(("key", 42051)),
            rows: &[
                Row("text", Must(NO_CODE), ANY),
                Row("key", Must(NO_CODE), KEY),
            ],
        }),
    ),
];
const NO_MENU: Row = Row("action_menu", Never, Object(&[]));

const ID: Rule = Text(Id(42014), &[Most(128, Bytes, 42014)]);
const TASK_ID: Row = Row("task_id", Must(42014), ID);
const MENU_TASK_ID: Row = Row("task_id", With("action_menu", 42014), ID);

const fn main_title(title: Need) -> [Row<'static>; 2] {
    [
        Row("title", title, Label(36, 26)),
        Row("desc", May, Label(44, 30)),
    ]
}
const MAIN_TITLE: Rule = Object(&main_title(May));
/// Title and description may each be missing, but not both.
const HEADED: Row = Row(
    "main_title",
    Must(42033),
    Object(&main_title(Unless("desc", 42033))),
);
const TITLED: Row = Row("main_title", Must(42033), Object(&main_title(Must(42033))));

const SUB_TITLE: Rule = Label(160, 112);
const SUB_TITLE_OR_TITLE: Row = Row(
    "sub_title_text",
    Unless("main_title/title", 42033),
    SUB_TITLE,
);

const QUOTE_AREA: Row = Row(
    "quote_area",
    May,
    Object(&[
        TYPE,
        URL,
        APPID,
        PAGEPATH,
        Row("title", May, ANY),
        Row("quote_text", May, ANY),
    ]),
);

const EMPHASIS: Row = Row(
    "emphasis_content",
    May,
    Object(&[
        Row("title", May, Label(14, 10)),
        Row("desc", May, Label(22, 15)),
    ]),
);

/// `type`: text, url, attachment, member.
const HORIZONTAL: Row = Row(
    "horizontal_content_list",
    May,
    list(
        0,
        6,
        42035,
        &[
            Row("keyname", Must(42027), Label(5, 5)),
            Row("value", May, Label(30, 26)),
            Row("type", May, OneOf(&[0, 1, 2, 3], NO_CODE)),
            URL,
            Row("media_id", When("type", 2, 42029), ANY),
            Row("userid", When("type", 3, 42050), ANY),
        ],
    ),
);

const VERTICAL: Row = Row(
    "vertical_content_list",
    May,
    list(
        0,
        4,
        42036,
        &[
            Row("title", Must(42033), Label(38, 26)),
            Row("desc", May, Label(160, 112)),
        ],
    ),
);

const JUMPS: Row = Row(
    "jump_list",
    May,
    list(
        0,
        3,
        42042,
        &[
            Row("title", Must(42033), Label(18, 13)),
            TYPE,
            URL,
            APPID,
            PAGEPATH,
        ],
    ),
);

/// Where a touch of the whole card leads; a notice must lead somewhere.
const GOAL: Row = Row(
    "card_action",
    Must(42045),
    Object(&[
        Row("type", Must(42045), OneOf(&[1, 2], 42045)),
        URL,
        APPID,
        PAGEPATH,
    ]),
);

const CARD_IMAGE: Rule = Object(&[
    Row("url", Must(42044), IMAGE),
    // More than 1.3, says the page, and that 1.3 is the default.
    Row("aspect_ratio", May, Between(1.3, 2.25)),
]);

const IMAGE_TEXT: Row = Row(
    "image_text_area",
    May,
    Object(&[
        TYPE,
        URL,
        APPID,
        PAGEPATH,
        Row("title", May, ANY),
        Row("desc", May, ANY),
        Row("image_url", Must(NO_CODE), IMAGE),
    ]),
);

const OPTION: Rows = &[
    Row("id", Must(42040), OPTION_ID),
    Row("text", Must(42041), Label(16, 16)),
];

/// A list to choose one from.
const SELECTION: Rows = &[
    Row("question_key", Must(42043), KEY),
    Row("title", May, ANY),
    Row("option_list", Must(42037), list(1, 10, 42037, OPTION)),
    Row("selected_id", May, ANY),
];

const CHECKBOX: Rows = &[
    Row("question_key", Must(42043), KEY),
    Row("mode", May, OneOf(&[0, 1], NO_CODE)),
    Row(
        "option_list",
        Must(42037),
        list(
            1,
            20,
            42037,
            &[
                Row("id", Must(42040), OPTION_ID),
                Row("text", Must(42041), Label(17, 17)),
                Row("is_checked", May, Flag),
            ],
        ),
    ),
];

const SUBMIT: Row = Row(
    "submit_button",
    Must(42046),
    Object(&[
        Row("text", May, Label(10, 10)),
        Row("key", Must(42046), KEY),
    ]),
);

/// Two alike: 42051.
const BUTTONS: Rule = Rule::List(List {
    min: 1,
    max: 6,
    code: NO_CODE,
    unique: Some(("key", 42051)),
    rows: BUTTON,
});

/// `type`: a callback with its key, or a url.
const BUTTON: Rows = &[
    Row("text", Must(42038), Label(10, 10)),
    Row("type", May, OneOf(&[0, 1], NO_CODE)),
    Row("style", May, OneOf(&[1, 2, 3, 4], NO_CODE)),
    Row("key", When("type", 0, 42039), KEY),
    URL,
];

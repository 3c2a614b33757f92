//! Tests of the analyzers against the naive model, and of the cases that users meet.

use std::time::{Duration, Instant};

use icu_normalizer::properties::{CanonicalDecompositionBorrowed, Decomposed};
use proptest::prelude::*;

use super::characters::combines;
use super::*;
use crate::testing::search::{
    FORMS, LANGUAGES, NaiveAnalyzer, SCRIPTS, check_analysis, is_in_run, words,
};

fn tokens(name: &str, text: &str) -> Vec<String> {
    let analyzer = Analyzer::by_name(name).unwrap();
    let mut tokens = Vec::new();
    analyzer
        .tokenizer()
        .token_stream(text)
        .process(&mut |token| tokens.push(token.text.clone()));
    tokens
}

/// Characters that combine, expand, vanish or belong to scripts without spaces.
fn odd() -> impl Strategy<Value = char> {
    prop_oneof![
        proptest::sample::select("aZ09 .-'ßﬁ½²⑴ǰŉΐᾳᾴΣςİıIéÉøłœﷺﷲ٣ʹªµſÅ①Ⅷ㎏Ⓐ".chars().collect::<Vec<_>>()),
        // Marks, among them one that folds to a letter, some that are never shown, and some that combine.
        proptest::sample::select("\u{301}\u{300}\u{308}\u{307}\u{327}\u{323}\u{331}\u{342}\u{345}\u{34f}\u{fe0f}\u{344}\u{20e3}\u{488}\u{653}\u{654}\u{64b}\u{5b4}\u{5bc}\u{fb1e}\u{ad}\u{200b}\u{200d}\u{180b}".chars().collect::<Vec<_>>()),
        // Hangul in all its forms, and its fillers.
        proptest::sample::select("한글각가\u{1100}\u{1161}\u{11a8}\u{115f}\u{1160}\u{3164}\u{ffa0}\u{ffa1}\u{ffc2}\u{1112}\u{ffbe}\u{a960}\u{d7b0}".chars().collect::<Vec<_>>()),
        // Kana in all their forms, their marks, and Han.
        proptest::sample::select("かがカガｶﾞﾟー々ゝ〱\u{3099}\u{309a}\u{3005}\u{303b}\u{302a}漢字使用㐀𠀀\u{f900}".chars().collect::<Vec<_>>()),
        proptest::sample::select("ที่น้ำสวัสดี๐ลາວໍາກເຂ\u{17b4}ក្រ\u{17d2}မြန်\u{1025}\u{102e}\u{1026}".chars().collect::<Vec<_>>()),
        proptest::sample::select("किताब\u{93c}क़বাং\u{9be}\u{9c7}தமிழ்\u{bd7}ཀྱི\u{f71}\u{f72}\u{f73}\u{16d63}\u{16d67}\u{16d68}\u{11131}\u{11127}".chars().collect::<Vec<_>>()),
        any::<char>(),
        (0xA0_u32..0x3000).prop_filter_map("no character", char::from_u32),
        (0xF900_u32..0x1_1200).prop_filter_map("no character", char::from_u32),
    ]
}

fn texts() -> impl Strategy<Value = String> {
    prop_oneof![
        proptest::collection::vec(odd(), 0..24).prop_map(|letters| letters.into_iter().collect()),
        ".{0,40}",
        "[a-zéüßА-я .'-]{0,60}",
        ("[a-zß漢\u{301}]{1,4}", 30_usize..150).prop_map(|(part, times)| part.repeat(times)),
    ]
}

proptest! {
    #[test]
    fn s6_the_analyzers_are_their_models(text in texts(), number in 0..38_usize) {
        check_analysis(Analyzer::all().nth(number).unwrap(), &text);
        check_analysis(Analyzer::default(), &text);
    }
}

/// Each character in front of, behind and between others that it might combine with. Of those that fold to themselves, it is a sample.
#[test]
fn s6_every_character_is_folded_with_its_neighbours() {
    let [case, accents] = ["text-1", "text-1-folded"];
    let models = [case, accents].map(|name| (name, NaiveAnalyzer::new(name)));
    let letters = (char::MIN..=char::MAX).filter(|letter| is_in_run(*letter));
    let letters = letters.filter(|letter| {
        let text = letter.to_string();
        let mut both = models.iter().map(|(_, model)| model.fold(&text));
        u32::from(*letter) % 32 == 0 || combines(*letter) || !both.all(|folded| folded == text)
    });
    let letters: Vec<char> = letters.collect();
    assert!(letters.len() > 10_000);
    for letter in letters {
        let mut text = String::new();
        for (before, after) in [
            ("", ""),
            ("a", "b"),
            ("", "\u{301}"),
            ("ᾳ", "\u{323}\u{345}"),
            ("か", "\u{3099}"),
            ("\u{1100}", "\u{11a8}"),
        ] {
            text.extend([before, letter.encode_utf8(&mut [0; 4]), after, " "]);
        }
        for (name, model) in models {
            assert_eq!(tokens(name, &text), model.tokens(&text), "{text:?}");
        }
    }
}

#[test]
fn s6_every_second_half_of_a_decomposition_is_known() {
    let data = CanonicalDecompositionBorrowed::new();
    let mut seconds = 0;
    for letter in char::MIN..=char::MAX {
        if let Decomposed::Expansion(_, second) = data.decompose(letter) {
            assert!(combines(second), "{letter:?} {second:?}");
            seconds += 1;
        }
    }
    assert!(seconds > 12_000);
    assert!(!combines('a') && !combines('漢') && !combines('\u{64b}'));
}

#[test]
fn s6_spellings_of_a_word_are_one_word() {
    for (spelt, word) in [
        ("café cafe\u{301} CAFÉ ｃａｆé", "café"),
        ("ΟΔΥΣΣΕΥΣ οδυσσευς οδυσσευσ", "οδυσσευσ"),
        ("ﬁne fine FINE Ｆｉｎｅ", "fine"),
        ("İ i\u{307}", "i\u{307}"),
        ("Straße STRASSE strasse STRAẞE", "strasse"),
        ("x² x2 X２", "x2"),
        ("한국 한국", "한국"),
        ("Ω\u{345} ᾳ\u{fe0f}", "ωι"),
    ] {
        let found = tokens("text-1", spelt);
        let found: Vec<_> = found
            .iter()
            .filter(|token| token.chars().count() > 1)
            .collect();
        if word == "ωι" {
            assert_eq!(found, [word, "αι"]);
        } else {
            assert_eq!(found.len(), spelt.split(' ').count(), "{found:?}");
            assert!(found.iter().all(|token| *token == word), "{found:?}");
        }
    }
    assert_eq!(
        tokens("text-1", "½ 3½ cafe ⑴"),
        ["1", "2", "31", "2", "cafe", "1"]
    );
    assert_eq!(tokens("text-1", "İ I ı"), ["i\u{307}", "i", "ı"]);
    // Symbols and what only combines with them.
    assert_eq!(tokens("text-1", "Ⓐ ❤\u{fe0f} \u{3164}"), [""; 0]);
}

#[test]
fn s3_text_without_spaces_is_cut_into_pairs_and_words() {
    assert_eq!(
        tokens("text-1", "«使用Rust编写的»"),
        ["使用", "用", "rust", "编写", "写的", "的"]
    );
    assert_eq!(
        tokens("text-1", "3月 サーバー"),
        ["3", "月", "サー", "ーバ", "バー", "ー"]
    );
    // A mark of many scripts belongs to what it follows.
    assert_eq!(
        tokens("text-1", "か\u{301}x\u{3099}"),
        ["か\u{301}", "\u{301}", "x\u{3099}"]
    );
}

#[test]
fn s3_offsets_are_of_the_raw_text() {
    let text = "— Ｒust使用cafe\u{301} ½";
    let mut found = Vec::new();
    let mut tokenizer = Analyzer::default().tokenizer();
    tokenizer.token_stream(text).process(&mut |token| {
        found.push((
            token.text.clone(),
            &text[token.offset_from..token.offset_to],
        ));
    });
    let found: Vec<_> = found
        .iter()
        .map(|(token, raw)| (token.as_str(), *raw))
        .collect();
    let expected = [
        ("rust", "Ｒust"),
        ("使用", "使用"),
        ("用", "用"),
        ("café", "cafe\u{301}"),
        ("1", "½"),
        ("2", "½"),
    ];
    assert_eq!(found, expected);
}

#[test]
fn s3_long_words_are_found_by_their_beginning() {
    let analyzer = Analyzer::default();
    let hash = "0123456789abcdef0123456789abcdef01234567";
    assert_eq!(tokens("text-1", hash), [hash]);
    for (part, bytes) in [("a", 255), ("é", 254), ("Ⱥ", 255), ("𐐀", 252)] {
        let exact = part.repeat(bytes / analyzer.fold(part).len());
        let longer = format!("{exact}{part}b");
        let [of_exact, of_longer] = [&exact, &longer].map(|text| tokens("text-1", text));
        assert_eq!(of_exact, of_longer, "{part}");
        assert_eq!(of_longer[0].len(), bytes, "{part}");
        assert_eq!(analyzer.query_tokens(&longer)[0].text, of_longer[0]);
        let counts = |text| (analyzer.count(text).tokens, analyzer.count(text).shortened);
        assert_eq!(counts(&exact), (1, 0), "{part}");
        assert_eq!(counts(&longer), (1, 1), "{part}");
    }
    assert_eq!(analyzer.count(&"海".repeat(1_000)).shortened, 0);
}

#[test]
fn s3_the_tokens_of_a_query() {
    let of = |text| {
        let tokens = Analyzer::default().query_tokens(text);
        let tokens = tokens.into_iter();
        tokens
            .map(|token| {
                let star = if token.is_prefix { "*" } else { "" };
                format!("{}{star}@{}", token.text, token.position)
            })
            .collect::<Vec<_>>()
            .join(" ")
    };
    for (text, tokens) in [
        ("Sea", "sea@0"),
        ("l'eau", "l@0 eau@1"),
        ("使用", "使用@0"),
        ("使用Rust编写", "使用@0 rust@2 编写@3"),
        ("海", "海*@0"),
        ("Rust编", "rust@0 编*@1"),
        ("用Rust", "用@0 rust@1"),
        ("用 的", "用@0 的*@1"),
        ("使用 海", "使用@0 海*@2"),
        ("!?", ""),
    ] {
        assert_eq!(of(text), tokens, "{text}");
    }
}

/// Whether the tokens of a document have those of the query somewhere, as a phrase has them.
fn finds(document: &[String], query: &[QueryToken]) -> bool {
    let fits = |start: usize, token: &QueryToken| {
        document.get(start + token.position).is_some_and(|found| {
            *found == token.text || token.is_prefix && found.starts_with(&token.text)
        })
    };
    let mut starts = 0..document.len();
    !query.is_empty() && starts.any(|start| query.iter().all(|token| fits(start, token)))
}

/// Checks that a text in each form is found by its words, and by those of the text in every other form.
fn check_found(analyzer: Analyzer, text: &str) {
    // What is never shown is no word.
    let is_shown = |word: &String| !analyzer.fold(word).is_empty();
    let of_text = words(text);
    for (of_document, form) in FORMS {
        let document = form(text);
        let tokens = tokens(&analyzer.name(), &document);
        let mut asked = words(&document);
        for (of_query, form) in FORMS {
            // In capitals it is another letter, see the documentation.
            let is_lost = |word: &&String| of_query == "capitals" && word.contains('ı');
            let kept = of_text.iter().filter(|word| !is_lost(word));
            asked.extend(kept.map(|word| form(word)));
        }
        let is_lost = of_document == "capitals" && text.contains('ı');
        for word in asked.iter().filter(|word| is_shown(word)) {
            let is_found = finds(&tokens, &analyzer.query_tokens(word));
            assert!(
                is_found || is_lost,
                "{analyzer}, {of_document}: {word} in {document}"
            );
        }
    }
}

#[test]
fn s3_s6_a_document_is_found_by_its_words_in_every_form() {
    for (_, text) in SCRIPTS.iter().chain(&LANGUAGES) {
        for name in ["text-1", "text-1-folded"] {
            check_found(Analyzer::by_name(name).unwrap(), text);
        }
    }
    for (language, text) in LANGUAGES {
        for step in ["", "-folded"] {
            check_found(
                Analyzer::by_name(&format!("text-1{step}-{language}")).unwrap(),
                text,
            );
        }
    }
}

#[test]
fn accents_are_folded() {
    for (accented, bare) in [
        ("Café CAFÉ cafe\u{301}", "cafe cafe cafe"),
        ("Øre Łódź đ ħ ŧ ı ĸ ŋ", "ore lodz d h t i k n"),
        ("Ægir œuvre þorn ð Straße", "aegir oeuvre thorn d strasse"),
        ("İstanbul ǿ ệ", "istanbul o e"),
        ("Ἀθῆναι ᾠδή ΐ", "αθηναι ωιδη ι"),
        ("ёлка йога Їжак", "елка иога іжак"),
        ("が か\u{3099} क़", "が が क\u{93c}"),
        ("קָמָץ مُدّ", "קָמָץ مُدّ"),
    ] {
        let expected: Vec<_> = tokens("text-1", bare);
        assert_eq!(tokens("text-1-folded", accented), expected);
    }
}

#[test]
fn words_are_stemmed_in_their_language() {
    for (name, text, stems) in [
        (
            "text-1-english",
            "Ships sailing 使用 happily",
            "ship sail 使用 用 happili",
        ),
        ("text-1-german", "Häfen größten", "haf grosst"),
        ("text-1-french", "élèves mangées", "élev mang"),
        ("text-1-folded-french", "élèves eleves", "elev elev"),
        ("text-1-russian", "корабли кораблей", "корабл корабл"),
    ] {
        let stems: Vec<_> = stems.split(' ').collect();
        assert_eq!(tokens(name, text), stems, "{name}");
    }
}

#[test]
fn a_name_that_no_analyzer_has_is_refused_with_all_names() {
    assert_eq!(Analyzer::all().count(), 38);
    for analyzer in Analyzer::all() {
        assert_eq!(Analyzer::by_name(&analyzer.name()), Ok(analyzer));
    }
    for name in [
        "",
        "text",
        "text-2",
        "text-1-klingon",
        "text-1-english-folded",
        "TEXT-1",
    ] {
        let error = Analyzer::by_name(name).unwrap_err().to_string();
        assert!(error.contains(&format!("{name:?}")), "{error}");
        for analyzer in Analyzer::all() {
            let names: Vec<_> = error.split([' ', ',']).collect();
            assert!(names.contains(&analyzer.name().as_str()), "{error}");
        }
    }
}

#[test]
fn a_long_run_takes_no_longer_than_its_length_allows() {
    for (part, times) in [
        ("x", 1_000_000),
        ("海", 300_000),
        ("ก\u{e48}", 300_000),
        ("½", 100_000),
        ("\u{301}", 100_000),
        ("\u{3164}", 100_000),
        ("\u{e48}\u{5b4}", 30_000),
        ("\u{1100}", 30_000),
        ("a\u{301}\u{323}", 10_000),
    ] {
        let began = Instant::now();
        let counted = Analyzer::default().count(&part.repeat(times));
        assert!(counted.tokens <= 600_000);
        assert!(began.elapsed() < Duration::from_secs(100), "{part:?}");
    }
}

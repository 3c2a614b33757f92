//! The time to cut text into tokens, compared with tantivy's default analyzer.

use tantivy::tokenizer::{TextAnalyzer, TokenizerManager};
use tickring::testing::search::{LANGUAGES, SCRIPTS, tokenizer};

use crate::Scope;
use crate::corpus::Corpus;
use crate::measure::{pair, timed};
use crate::report::{Goal, Report};
use crate::single::Single;

const BYTES: usize = 4_000_000;
/// A text is cut after this many bytes, as the documents of the search are.
const PIECE: usize = 2_000;

pub fn run(report: &mut Report, scope: Scope) {
    let corpus = Corpus::new(8_000);
    let indexed = pair(
        scope.rounds(15),
        corpus.documents.len() as f64,
        &mut || timed(|| index(&corpus, Some(tokenizer("text-1")))),
        &mut || timed(|| index(&corpus, None)),
    );
    report.pair(
        "S7",
        "a document in one index of tantivy's, analysed by text-1",
        Goal::AtLeast(0.9),
        indexed,
    );
    let bodies = corpus.documents.iter();
    let bodies = bodies.filter_map(|(_, document)| document.text("body"));
    let source: Vec<_> = bodies.filter(|body| body.is_ascii()).collect();
    let spaced = |name: &&str| !["arabic", "tamil"].contains(name);
    let languages = LANGUAGES.iter().filter(|(name, _)| spaced(name));
    let languages: Vec<_> = languages.map(|(_, text)| *text).collect();
    let scripts = SCRIPTS.iter().chain(&LANGUAGES);
    let scripts: Vec<_> = scripts.map(|(_, text)| *text).collect();
    let unspaced = ["Han", "Kana", "Hangul", "Thai", "Lao", "Khmer", "Myanmar"];
    let unspaced = SCRIPTS.iter().filter(|(name, _)| unspaced.contains(name));
    let unspaced: Vec<_> = unspaced.map(|(_, text)| *text).collect();
    for (what, goal, texts) in [
        ("ASCII", Goal::AtLeast(0.9), source),
        ("16 European languages", Goal::AtLeast(0.9), languages),
        ("22 scripts", Goal::AtLeast(0.9), scripts),
        (
            "7 scripts without spaces, ours pairs",
            Goal::Shown,
            unspaced,
        ),
    ] {
        let pieces = pieces(&texts);
        let [mut ours, mut theirs] = [
            tokenizer("text-1"),
            TokenizerManager::default()
                .get("default")
                .expect("it is there"),
        ];
        let row = pair(
            scope.rounds(21),
            TOKENS,
            &mut || per_token(&mut ours, &pieces),
            &mut || per_token(&mut theirs, &pieces),
        );
        report.pair("S7", format!("a token cut from text, {what}"), goal, row);
    }
}

fn index(corpus: &Corpus, analyzer: Option<TextAnalyzer>) -> Single {
    let mut single = Single::new(1, false);
    if let Some(analyzer) = analyzer {
        single.analyze_with(analyzer);
    }
    for (id, document) in &corpus.documents {
        single.add(*id, document);
    }
    single.commit();
    single
}

/// A round is scaled to this many tokens, because the sides don't make the same number of them.
const TOKENS: f64 = 1e6;

fn per_token(analyzer: &mut TextAnalyzer, pieces: &[String]) -> std::time::Duration {
    let mut tokens = 0_u64;
    let took = timed(|| {
        for piece in pieces {
            analyzer.token_stream(piece).process(&mut |token| {
                std::hint::black_box(&token.text);
                tokens += 1;
            });
        }
    });
    took.mul_f64(TOKENS / tokens as f64)
}

/// Repeats the texts, one line each, and cuts them into pieces.
fn pieces(texts: &[&str]) -> Vec<String> {
    let (mut pieces, mut piece, mut bytes) = (Vec::new(), String::new(), 0);
    for text in texts.iter().cycle() {
        piece.push_str(text);
        piece.push('\n');
        if piece.len() >= PIECE {
            bytes += piece.len();
            pieces.push(std::mem::take(&mut piece));
            if bytes >= BYTES {
                break;
            }
        }
    }
    pieces
}

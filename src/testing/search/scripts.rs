//! Texts in many scripts and languages, and the forms in which the same text is written.

use icu_normalizer::{ComposingNormalizerBorrowed, DecomposingNormalizerBorrowed};

/// A few sentences in each script.
pub const SCRIPTS: [(&str, &str); 22] = [
    (
        "Latin",
        "The sea, café and naïve Größe: l'eau coûte 3,50 €; Łódź, Ålesund, São Tomé. Don't fly_to fs/proc.c!",
    ),
    (
        "Greek",
        "Ὁ Ὀδυσσεὺς ἔπλευσε τὴν θάλασσα. Οδυσσεύς, ΟΔΥΣΣΕΥΣ και οδυσσευς· ᾠδή, ΐδιος.",
    ),
    (
        "Cyrillic",
        "Море и ветер: ёлка, йогурт, подъезд. Україна, Їжак; Београд је велики град.",
    ),
    (
        "Armenian",
        "Ծովը կապույտ է, և քամին ուժեղ է։ Երևանը մայրաքաղաքն է։",
    ),
    (
        "Georgian",
        "ზღვა ლურჯია და ქარი ძლიერია. თბილისი დედაქალაქია.",
    ),
    ("Hebrew", "הַיָּם כָּחֹל וְהָרוּחַ חֲזָקָה. שלום עולם, ירושלים 2026."),
    (
        "Arabic",
        "البحرُ أزرقُ والرياحُ قويّةٌ. آمنة تقرأ كتابًا في المدينة ٣ مرّات، ﷺ.",
    ),
    ("Persian", "می‌خواهم به دریا بروم؛ کتاب‌ها روی میز است."),
    ("Devanagari", "समुद्र नीला है और हवा तेज़ है। हिन्दी में क़िताब पढ़ो।"),
    ("Bengali", "সমুদ্র নীল এবং বাতাস প্রবল। বাংলা ভাষা, কোথায়?"),
    (
        "Tamil",
        "கடல் நீலமாக உள்ளது, காற்று பலமாக வீசுகிறது. கொடி, சௌகரியம்.",
    ),
    ("Tibetan", "རྒྱ་མཚོ་སྔོན་པོ་ཡིན། བོད་ཡིག་ནི།"),
    ("Ethiopic", "ባሕሩ ሰማያዊ ነው፣ ነፋሱም ኃይለኛ ነው። አማርኛ"),
    ("Cherokee", "ᏣᎳᎩ ᎦᏬᏂᎯᏍᏗ ᎠᎺᏉᎯ"),
    (
        "Han",
        "使用Rust编写的搜索引擎，可以在2026年找到任何两个相邻的字。海洋是蓝色的。",
    ),
    (
        "Kana",
        "海はあおい。ガラスのコップとパソコン、サーバーを使う人々。ｶﾞｷﾞｸﾞ ﾊﾟﾋﾟﾌﾟ いすゞ",
    ),
    (
        "Hangul",
        "바다는 푸르고 바람은 강하다. 한국어 검색엔진은 두글자로 찾는다.",
    ),
    ("Thai", "ทะเลเป็นสีฟ้าและลมแรง น้ำใจ ๒๕๖๙ ภาษาไทยไม่เว้นวรรค"),
    ("Lao", "ທະເລເປັນສີຟ້າ ແລະລົມແຮງ ນ້ຳ ພາສາລາວ"),
    ("Khmer", "សមុទ្រមានពណ៌ខៀវ ហើយខ្យល់បក់ខ្លាំង ភាសាខ្មែរ"),
    ("Myanmar", "ပင်လယ်ပြာသည် လေပြင်းတိုက်သည် မြန်မာဘာသာ ဦးလေး"),
    (
        "Symbols",
        "x² + ½ y = m³; №5, ﬁne ﬂow, ℌilbert, ①②, e\u{301}, ⒈, ½cup, 𝐁𝐨𝐥𝐝, A\u{fe0f}B, ≠ ❤\u{fe0f}",
    ),
];

/// A sentence in each language that has a stemmer.
pub const LANGUAGES: [(&str, &str); 18] = [
    (
        "arabic",
        "والكتب الجديدة في المكتبات الكبيرة يقرؤها الطالبون",
    ),
    (
        "danish",
        "Skibene sejlede langsomt mod havnene, hvor fiskernes huse lå",
    ),
    (
        "dutch",
        "De schepen voeren langzaam naar de havens waar de vissers woonden",
    ),
    (
        "english",
        "The ships were sailing slowly towards harbours where fishermen's families lived happily",
    ),
    (
        "finnish",
        "Laivat purjehtivat hitaasti kohti satamia, joissa kalastajien perheet asuivat",
    ),
    (
        "french",
        "Les élèves naviguaient lentement vers les ports où vivaient les pêcheurs aimés",
    ),
    (
        "german",
        "Die Schiffe segelten langsam zu den Häfen, in denen die größten Fischerfamilien wohnten",
    ),
    (
        "greek",
        "Τα πλοία έπλεαν αργά προς τα λιμάνια όπου ζούσαν οι οικογένειες των ψαράδων",
    ),
    (
        "hungarian",
        "A hajók lassan vitorláztak a kikötők felé, ahol a halászok családjai éltek",
    ),
    (
        "italian",
        "Le navi navigavano lentamente verso i porti dove vivevano le famiglie dei pescatori",
    ),
    (
        "norwegian",
        "Skipene seilte langsomt mot havnene der fiskernes familier bodde",
    ),
    (
        "portuguese",
        "Os navios navegavam lentamente para os portos onde viviam as famílias dos pescadores",
    ),
    (
        "romanian",
        "Navele pluteau încet spre porturile în care trăiau familiile pescarilor",
    ),
    (
        "russian",
        "Корабли медленно плыли к гаваням, где жили семьи рыбаков",
    ),
    (
        "spanish",
        "Los barcos navegaban lentamente hacia los puertos donde vivían las familias de los pescadores",
    ),
    (
        "swedish",
        "Skeppen seglade långsamt mot hamnarna där fiskarnas familjer bodde",
    ),
    ("tamil", "கப்பல்கள் மெதுவாகத் துறைமுகங்களுக்குச் சென்றன"),
    (
        "turkish",
        "Gemiler balıkçıların yaşadığı limanlara doğru yavaşça gidiyordu",
    ),
];

/// A name, and what rewrites a text.
pub type Form = (&'static str, fn(&str) -> String);

/// Ways to write the same text: as it is, composed, decomposed, in capitals, in full width.
pub const FORMS: [Form; 5] = [
    ("as it is", str::to_owned),
    ("NFC", |text| {
        ComposingNormalizerBorrowed::new_nfc()
            .normalize(text)
            .into_owned()
    }),
    ("NFD", |text| {
        DecomposingNormalizerBorrowed::new_nfd()
            .normalize(text)
            .into_owned()
    }),
    ("capitals", str::to_uppercase),
    ("full width", |text| {
        let wide = |letter: char| match letter {
            '!'..='~' => char::from_u32(letter as u32 + 0xFEE0).unwrap(),
            _ => letter,
        };
        text.chars().map(wide).collect()
    }),
];

/// Returns what a document with this text is found by: each maximal run of letters, digits and marks, and any two neighbouring characters
/// in scripts without spaces.
pub fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    for run in text.split(|letter| !super::is_in_run(letter)) {
        if run.is_empty() {
            continue;
        }
        words.push(run.to_owned());
        let characters = characters(run);
        let is_unspaced = |character: &String| character.chars().all(super::is_unspaced);
        for pair in characters.windows(2) {
            if pair.iter().all(is_unspaced) {
                words.push(pair.concat());
            }
        }
    }
    words
}

/// Splits a run into characters. What composes with the character before it, such as a voicing mark or the vowel of a syllable, is a part
/// of it.
fn characters(run: &str) -> Vec<String> {
    let nfkc = ComposingNormalizerBorrowed::new_nfkc();
    let length = |text: &str| nfkc.normalize(text).chars().count();
    let mut characters: Vec<String> = Vec::new();
    for letter in run.chars() {
        let alone = letter.to_string();
        match characters.last_mut() {
            Some(last) if length(&format!("{last}{letter}")) < length(last) + length(&alone) => {
                last.push(letter);
            }
            _ => characters.push(alone),
        }
    }
    characters
}

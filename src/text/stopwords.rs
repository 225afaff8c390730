//! Function words that nearly every text of a language has, for the official languages of the EU, their neighbours and smaller languages.
//!
//! Lists of our own, put together from general knowledge of each language and checked against the stop words of FineWeb-2
//! (huggingface/fineweb-2 d0defb2, `configs/*.yml`, Apache-2.0). Frequent but topical words of those (`aastal`, `насеље`, `film`)
//! are left out, since a list must hold for any subject. Words are in lower case and cut as [`crate::text::words`] cuts them, so an
//! elided `l'` is no entry. No list has more than 64 words. Lists of the smaller languages were checked against their Declaration of Human
//! Rights: each run of 50 words of it has at least two of the list.

use xxhash_rust::xxh3::xxh3_64;

/// Function words by language, the languages in alphabetic order.
const LISTS: &[(&str, &str)] = &[
    ("af", "die en van in is wat dit te nie hy met vir op aan as om sal was deur het of tot hierdie elke sy"),
    ("ast", "de la el y en que los les del nun un una con por al ye se como nin pa o so más ensin na"),
    ("be", "і у ў з на не што да як ад за па але гэта ён яна яны мы вы я для так ці быў была было яго таксама пра калі"),
    ("bg", "и на в е от за се с по да не че са като това през до си ще към или но при след как който която които има съм"),
    ("br", "ar an ur a zo e en er hag da ez eo gant war evit ma met ne ket pe evel n'eus holl dre eus un hep pep"),
    (
        "bs",
        "je u i se na su za od da s a ne o što kao koji koja koje će bi ili to iz do po nije sam ali biti kako је и на се за од да не што као који ће би или из до по није",
    ),
    ("ca", "de la el a i en que els les un una per amb es no del al és va ha com més o se però són ser molt"),
    ("co", "di u a in è chì per un una da i e cù hà si o à l'omu ogni d'ùn ne cum'è in'a"),
    ("cs", "v a se na je z s do že to o k za i pro ve by jako si po ale od jsou byl nebo jeho který při tak ze není co jak"),
    ("cy", "yn y a o i ar ei mae yw yr wedi am gan oedd bod fod ac eu un hefyd neu nid y'r i'r o'r a'r mewn sydd"),
    ("da", "i og af en til er den at som på for med det var der fra de et har ikke han kan om vi blev sig eller men du jeg efter ved"),
    (
        "de",
        "der und die in von im den des mit das er dem als für auf ist ein eine zu sich nicht auch sie an es werden aus bei oder dass wie nach",
    ),
    (
        "el",
        "του και το της η την από ο με τον να που των στην για στο σε είναι τη τα οι ότι δεν θα τους στη στον ή αλλά ένα μια μας ως αυτό τοῦ καὶ τὸ τῆς ἡ τὴν ἀπὸ ὁ μὲ τὸν νὰ ποὺ τῶν τὰ στὴν στὸ εἶναι οἱ δὲν θὰ",
    ),
    ("en", "the of and to in a is that for it was on are as with be this at by from or have an not you which but we he his they will has"),
    ("eo", "la de kaj en estas al por ne kiu ĝi kun li el oni sed mi ke kiel pri aŭ tiu ĉiu sia ĉiuj per laŭ"),
    ("es", "de la en el y a que del los se por un con una las su no es al lo para como más o pero le ha sus este sin sobre son"),
    (
        "et",
        "ja on oli ta ka ning et mis kui ei või see oma tema ma aga siis seda mida nad veel selle kes nii ole kuid kus me kõik saab iga kuni võib kas sama mitte juba vaid üle",
    ),
    (
        "eu",
        "eta da bat ez ere dira du izan zen dute baina egin hau hori bere den duen edo egiten dago zuen baino ziren oso beste dituzu duzu",
    ),
    (
        "fi",
        "ja on oli hän myös joka se ei sen ovat sekä mutta että tai kanssa hänen kun ole niin mukaan kuin jos olla voi ne jotka nyt tämä tämän tässä vain jotta koska kaikki voidaan sitten jälkeen ennen jossa sitä siitä eivät vielä kautta",
    ),
    ("fo", "í og er at á sum við av til var hann ein frá ikki men fyri eru hon tað ella um hava ið hevur tey"),
    ("fr", "de la le et à en des du les est un une il dans par au que qui pour sur pas ne se plus ce avec sont ou mais vous nous elle aux"),
    ("fur", "di il e la a in che un une al par cun si lis dal no o des ogni l'è ae sô dai"),
    ("fy", "de fan yn it en in is op mei dat te foar der wie oan by troch om net as hy sy ek wurdt mar hat"),
    ("ga", "an a na agus ar i is le sa go é ag sé bhí de ní do tá leis nach ach sin ina faoi atá siad mar chun as nó seo gur"),
    ("gd", "an a ann na e tha agus air is gu do de le bha chan aig mar sin nach seo bho iad ach cha mi"),
    ("gl", "de a e o en que do da un no os na é unha como non por se para con as ao máis dos pero foi nos das"),
    ("hr", "je u i se na su za od s a da ne o što kao koji koja koje će bi ili to iz do po nije sam ali biti kako više"),
    ("hsb", "a w na je so z do zo su wo po za tež abo kotrež swojich kaž při kóždy ma k kiž pod ze"),
    ("hu", "a az és is egy volt hogy nem meg de el ez ezt csak már még vagy azt mint ha van lehet ki kell be aki ami után"),
    ("hy", "և է որ են այդ մի հետ իր եւ ու ի ունի կամ համար չի այն պետք բոլոր այս ոչ"),
    ("is", "og í á að sem er var til við en af um hann með það ekki fyrir frá eru ég hún þá því eða hafa verið ef"),
    ("it", "di e il la in a del che è della un per nel con da i una non si le al sono come dei più anche alla gli ha delle ma o se"),
    ("ka", "და არის რომ ამ ეს იყო მისი როგორც თუ ან უნდა მიერ ყოველ აქვს არ იგი ყველა სხვა იყოს თავისი"),
    ("la", "et in est non ad ut cum quod qui ex si sed aut ab per quae etiam de sunt esse vel a nec atque"),
    ("lb", "de an der a vum den am ass déi huet eng mat op vun dat en fir net si et och ze sinn war bei gëtt um wéi hunn"),
    ("lij", "de a o e in un che con unna pe do da i se no à l'é ò ciaschedun di ä l'à ne sò"),
    (
        "lt",
        "ir į nuo iš su yra iki o kaip kad apie po ar tai buvo bei ne bet jo jis už per dėl taip tik kai dar kuris prie ji arba nėra gali šis ši visi ją jį",
    ),
    ("lv", "un ir no ar par bija arī ka uz kas pēc nav tika tas tā vai pie lai bet kā gan ja to viņš līdz tiek var kad es kur"),
    ("mk", "на во и од се за со е да како не што или го ги но по а до ќе беше има сите ја при кој"),
    (
        "mt",
        "u ta li ma f hu dan minn biex kien hija fuq għal huwa kif meta jew lil wara bejn din aktar ukoll hemm ġie ħafna dawn kienet se",
    ),
    ("nb", "i og av som en er til på for med den det var han de å fra at ikke et har om ble seg kan men vi jeg eller etter ved"),
    ("nds", "de un in is dat vun den mit to op en för sik as nich ok bi ut hett oder sien wat een he"),
    ("nl", "de van in het een en is op voor met door zijn werd hij uit dat te die niet aan er ook als bij of om naar maar dan wordt"),
    ("nn", "i og av er som til på ein det med for den han vart frå var dei å at ikkje eit har om seg kan men eg eller etter ved"),
    ("oc", "de la lo e en a es per que un una del dins las los amb se al son o pas dels mai coma foguèt aquò"),
    ("pl", "w i na z do się od a jest przez po jako oraz o był nie że to jego dla tym ale za jak czy są tego co które ma lub"),
    ("pt", "de a e o em do da que um no uma com para na é foi os as por não se mais dos ao como das ou mas são ser"),
    ("rm", "da la e il en per che ina ed a cun las dals ils è na u sia sin quai ha tut dal in"),
    ("ro", "de în a și din la o cu este un pe fost care al să nu se mai pentru au că ca fi sau prin sunt ale după dar ce lui"),
    ("ru", "в и на с по из был к не от что за для его как а он также до после это но я у же бы то или все вы мы она"),
    ("sco", "the o an tae in is wis it for he wi as that fae on at by aw his or hae nae"),
    ("se", "ja lea leat ii go dat mii ahte dahje maid galgá buot su dan daid mat vuostá iežas maiddá eai bokte"),
    ("sk", "v a na sa je z s o do že to aj pre za ako by od po ale sú pri si nie bol alebo ich jeho ktoré ktorý k tak čo"),
    ("sl", "je v in na so se ki za z da s ni pa tudi po kot bi od ne ali o bil do tako sem lahko še iz če ko"),
    ("sq", "të e në dhe i një me nga për është që më u si ka do se nuk kjo ai por së tij janë edhe duke kishte ishte"),
    (
        "sr",
        "у је и на се од су да за из не о као који што али би са или то није до по он ће због i u je na se od su da za iz ne o kao koji što ali bi sa ili to nije do po on će",
    ),
    ("sv", "i och är av en som den med på till att för det var de ett har inte om han från kan vi men jag sig eller efter vid när"),
    ("tr", "ve bir olarak bu ile için olan da de sonra en daha ilk çok gibi her kadar ne ama veya değil o ki olduğu var ya mi"),
    ("uk", "у в на і з та до за що не як від він для й а це його але був про так або чи по ми ви я вона було також"),
    ("vec", "de el la e in che i un na par con no so da se o a ghe al sò xe"),
    ("wa", "di li el les e on ene des po dins a est pa et u tot nén dès lès èt dè qui ou ne come"),
];

/// Slots of a list's table: at most half of them are taken, and a `u128` has a bit for each.
const SLOTS: usize = 128;

/// The stop words of one language, ready to be looked up.
#[derive(Clone, Debug)]
pub struct StopWords {
    /// xxh3 of each word, at the first free slot from its lowest bits on; 0 where there is none.
    slots: [u64; SLOTS],
    bytes_max: usize,
}

impl StopWords {
    /// The list of the language with primary subtag `lang`, if there is one.
    #[must_use]
    pub fn of(lang: &str) -> Option<StopWords> {
        let place = LISTS.binary_search_by_key(&lang, |(known, _)| known).ok()?;
        let mut known = StopWords { slots: [0; SLOTS], bytes_max: 0 };
        for word in LISTS[place].1.split(' ') {
            let slot = known.slot(word.as_bytes());
            known.slots[slot] = xxh3_64(word.as_bytes());
            known.bytes_max = known.bytes_max.max(word.len());
        }
        Some(known)
    }

    /// How many different stop words are among `words`.
    #[must_use]
    pub fn distinct<'a>(&self, words: impl Iterator<Item = &'a str>) -> u32 {
        let mut seen = 0u128;
        for word in words.filter(|word| word.len() <= self.bytes_max) {
            if let Some(slot) = self.find(word) {
                seen |= 1 << slot;
            }
        }
        seen.count_ones()
    }

    /// Whether `word`, in any case, is a stop word.
    #[must_use]
    pub fn has(&self, word: &str) -> bool {
        word.len() <= self.bytes_max && self.find(word).is_some()
    }

    /// The slot of `word`, in any case, if it is a stop word.
    fn find(&self, word: &str) -> Option<usize> {
        let mut slot = self.slot(word.as_bytes());
        if self.slots[slot] == 0 && word.starts_with(char::is_uppercase) {
            slot = self.slot_of_lowered(word);
        }
        (self.slots[slot] != 0).then_some(slot)
    }

    /// The slot of `word` in lower case. Most words fit a buffer on the stack.
    fn slot_of_lowered(&self, word: &str) -> usize {
        let mut lowered = [0; 32];
        match lowered.get_mut(..word.len()) {
            Some(lowered) if word.is_ascii() => {
                lowered.copy_from_slice(word.as_bytes());
                lowered.make_ascii_lowercase();
                self.slot(lowered)
            }
            _ => self.slot(word.to_lowercase().as_bytes()),
        }
    }

    /// Where `word` stands, or would stand, in the table.
    fn slot(&self, word: &[u8]) -> usize {
        let hash = xxh3_64(word);
        let mut slot = usize::from(hash.to_le_bytes()[0]) % SLOTS;
        while self.slots[slot] != 0 && self.slots[slot] != hash {
            slot = (slot + 1) % SLOTS;
        }
        slot
    }
}

/// Languages that have a list.
pub fn languages() -> impl Iterator<Item = &'static str> {
    LISTS.iter().map(|(lang, _)| *lang)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::words::words;

    /// The official languages of the EU.
    const EU_24: &str = "bg cs da de el en es et fi fr ga hr hu it lt lv mt nl pl pt ro sk sl sv";

    #[test]
    fn every_official_language_and_every_neighbour_has_a_list() {
        for lang in EU_24.split(' ').chain("ca eu gl nb nn is sq sr mk bs tr uk be ru cy".split(' ')) {
            assert!(StopWords::of(lang).is_some(), "{lang}");
        }
        assert!(StopWords::of("zu").is_none());
    }

    #[test]
    fn lists_are_in_order_leave_half_of_the_table_free_and_are_cut_as_texts_are() {
        assert!(languages().is_sorted());
        for (lang, list) in LISTS {
            for word in list.split(' ') {
                assert_eq!(words(word).collect::<Vec<_>>(), [word], "{lang}");
                assert_eq!(word.to_lowercase(), word, "{lang}");
            }
            let listed = list.split(' ').count();
            assert!((15..=SLOTS / 2).contains(&listed), "{lang}: {listed}");
            let known = StopWords::of(lang).expect("listed");
            assert_eq!(known.distinct(list.split(' ')) as usize, listed, "{lang}: a word stands twice");
        }
    }

    #[test]
    fn different_stop_words_are_counted_in_any_case() {
        let german = StopWords::of("de").expect("listed");
        assert_eq!(german.distinct(words("Der Hund und DER Kater und die Maus")), 3);
        assert_eq!(german.distinct(words("Preisliste Schrauben Muttern")), 0);
        let greek = StopWords::of("el").expect("listed");
        assert_eq!(greek.distinct(words("Η θάλασσα και ο ουρανός")), 3);
        assert_eq!(words("Der Hund und DER Kater").map(|word| german.has(word)).collect::<Vec<_>>(), [true, false, true, true, false]);
    }

    #[test]
    fn greek_with_all_its_accents_and_bosnian_in_either_script_have_stop_words() {
        let greek = StopWords::of("el").expect("listed");
        assert_eq!(greek.distinct(words("Ὁ ἄνεμος καὶ ἡ θάλασσα τοῦ Αἰγαίου")), 4);
        let bosnian = StopWords::of("bs").expect("listed");
        assert_eq!(bosnian.distinct(words("Svako ima pravo na život i da bude slobodan")), 3);
        assert_eq!(bosnian.distinct(words("Свако има право на живот и да буде слободан")), 3);
    }
}

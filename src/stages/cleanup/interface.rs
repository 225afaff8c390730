//! Lines that are nothing but what a page's buttons and menus say, in the official languages of the EU and some more.
//!
//! Only whole lines are meant: "Read more" alone is a button, within a sentence it is text. The list is our own.

use ahash::AHashSet;

/// The lines, a language each, parted by `|`, in lower case and without the signs that stand around them.
const LINES: &[(&str, &str)] = &[
    (
        "en",
        "read more|continue reading|show more|load more|share|share this|share on facebook|share on twitter|share on whatsapp|tweet|print|print this page|back to top|skip to content|skip to main content|accept all|accept cookies|reject all|cookie settings|manage cookies|close|log in|sign in|sign up|subscribe|search|menu|previous|next|leave a comment|leave a reply|add to cart|add to basket|follow us|related articles|all rights reserved",
    ),
    (
        "bg",
        "прочети още|виж още|покажи още|сподели|сподели във facebook|принтирай|отпечатай|към началото|приемам всички|приемам|затвори|вход|търсене|меню|предишна|следваща|добави в количката|последвайте ни|всички права запазени",
    ),
    (
        "cs",
        "číst dále|číst více|zobrazit více|načíst další|sdílet|sdílet na facebooku|vytisknout|tisk|zpět nahoru|přeskočit na obsah|přijmout vše|odmítnout vše|nastavení cookies|zavřít|přihlásit se|přihlášení|hledat|předchozí|další|přidat do košíku|sledujte nás|všechna práva vyhrazena",
    ),
    (
        "da",
        "læs mere|vis mere|del|del på facebook|udskriv|til toppen|gå til indhold|accepter alle|afvis alle|luk|log ind|søg|forrige|næste|læg i kurv|tilføj til kurv|følg os|alle rettigheder forbeholdes",
    ),
    (
        "de",
        "weiterlesen|mehr lesen|mehr anzeigen|mehr erfahren|teilen|auf facebook teilen|auf twitter teilen|drucken|nach oben|zum inhalt springen|zum inhalt|alle akzeptieren|alle ablehnen|cookie-einstellungen|schließen|anmelden|einloggen|suche|suchen|zurück|weiter|in den warenkorb|kommentar schreiben|folgen sie uns|alle rechte vorbehalten",
    ),
    (
        "el",
        "διαβάστε περισσότερα|περισσότερα|δείτε περισσότερα|κοινοποίηση|κοινοποίηση στο facebook|εκτύπωση|επιστροφή στην κορυφή|αποδοχή όλων|απόρριψη όλων|κλείσιμο|σύνδεση|αναζήτηση|μενού|προηγούμενο|επόμενο|προσθήκη στο καλάθι|ακολουθήστε μας",
    ),
    (
        "es",
        "leer más|seguir leyendo|ver más|mostrar más|cargar más|compartir|compartir en facebook|compartir en twitter|imprimir|volver arriba|saltar al contenido|ir al contenido|aceptar todo|aceptar todas|rechazar todo|cerrar|iniciar sesión|buscar|menú|anterior|siguiente|añadir al carrito|síguenos|todos los derechos reservados",
    ),
    (
        "et",
        "loe edasi|loe rohkem|näita rohkem|jaga|jaga facebookis|prindi|tagasi üles|liigu sisu juurde|nõustu kõigiga|keeldu kõigist|sulge|logi sisse|otsi|menüü|eelmine|järgmine|lisa ostukorvi|jälgi meid|kõik õigused kaitstud",
    ),
    (
        "fi",
        "lue lisää|lue koko juttu|näytä lisää|lataa lisää|jaa|jaa facebookissa|jaa twitterissä|tulosta|takaisin ylös|siirry sisältöön|hyväksy kaikki|hylkää kaikki|evästeasetukset|sulje|kirjaudu|kirjaudu sisään|haku|hae|valikko|edellinen|seuraava|lisää ostoskoriin|seuraa meitä|kaikki oikeudet pidätetään",
    ),
    (
        "fr",
        "lire la suite|lire plus|en savoir plus|voir plus|afficher plus|charger plus|partager|partager sur facebook|partager sur twitter|imprimer|haut de page|retour en haut|aller au contenu|tout accepter|tout refuser|fermer|se connecter|connexion|rechercher|recherche|précédent|suivant|ajouter au panier|suivez-nous|tous droits réservés",
    ),
    (
        "ga",
        "léigh tuilleadh|léigh níos mó|taispeáin tuilleadh|roinn|roinn ar facebook|priontáil|glac le gach ceann|dún|logáil isteach|cuardaigh|roghchlár|ar ais go barr|lean muid",
    ),
    (
        "hr",
        "pročitaj više|čitaj dalje|prikaži više|podijeli|podijeli na facebooku|ispiši|natrag na vrh|povratak na vrh|prihvati sve|odbij sve|zatvori|prijava|pretraga|traži|izbornik|prethodna|sljedeća|dodaj u košaricu|pratite nas|sva prava pridržana",
    ),
    (
        "hu",
        "tovább olvasom|olvass tovább|bővebben|több megjelenítése|megosztás|megosztás a facebookon|nyomtatás|vissza a tetejére|ugrás a tartalomhoz|összes elfogadása|elfogadom|bezárás|belépés|bejelentkezés|keresés|menü|előző|következő|kosárba|kövessen minket|minden jog fenntartva",
    ),
    (
        "it",
        "leggi tutto|leggi di più|continua a leggere|mostra altro|carica altro|condividi|condividi su facebook|condividi su twitter|stampa|torna su|torna in alto|vai al contenuto|accetta tutto|accetta tutti|rifiuta tutto|chiudi|accedi|cerca|precedente|successivo|aggiungi al carrello|seguici|tutti i diritti riservati",
    ),
    (
        "lt",
        "skaityti daugiau|skaityti toliau|rodyti daugiau|dalintis|dalintis facebook|spausdinti|į viršų|sutinku su visais|priimti visus|uždaryti|prisijungti|paieška|meniu|ankstesnis|kitas|į krepšelį|sekite mus|visos teisės saugomos",
    ),
    (
        "lv",
        "lasīt vairāk|lasīt tālāk|rādīt vairāk|dalīties|dalīties facebook|drukāt|uz augšu|pieņemt visu|piekrītu visam|noraidīt visu|aizvērt|ieiet|pieslēgties|meklēt|izvēlne|iepriekšējā|nākamā|ielikt grozā|seko mums|visas tiesības aizsargātas",
    ),
    (
        "mt",
        "aqra aktar|aqra iżjed|uri aktar|aqsam|aqsam fuq facebook|ipprintja|lura fuq|aċċetta kollox|agħlaq|idħol|fittex|ta' qabel|li jmiss|segwina|id-drittijiet kollha riżervati",
    ),
    (
        "nl",
        "lees meer|lees verder|meer lezen|toon meer|meer laden|delen|deel op facebook|deel op twitter|afdrukken|terug naar boven|naar de inhoud|ga naar de inhoud|alles accepteren|alles weigeren|sluiten|inloggen|zoeken|vorige|volgende|in winkelwagen|volg ons|alle rechten voorbehouden",
    ),
    (
        "pl",
        "czytaj więcej|czytaj dalej|pokaż więcej|załaduj więcej|udostępnij|udostępnij na facebooku|drukuj|do góry|przejdź do treści|akceptuj wszystkie|zaakceptuj wszystkie|odrzuć wszystkie|zamknij|zaloguj się|szukaj|wyszukaj|poprzedni|następny|dodaj do koszyka|obserwuj nas|wszelkie prawa zastrzeżone",
    ),
    (
        "pt",
        "ler mais|leia mais|continuar a ler|ver mais|mostrar mais|carregar mais|partilhar|compartilhar|partilhar no facebook|imprimir|voltar ao topo|saltar para o conteúdo|aceitar tudo|aceitar todos|rejeitar todos|fechar|iniciar sessão|pesquisar|procurar|anterior|seguinte|próximo|adicionar ao carrinho|siga-nos|todos os direitos reservados",
    ),
    (
        "ro",
        "citește mai mult|citeşte mai mult|citește mai departe|vezi mai mult|arată mai mult|distribuie|distribuie pe facebook|tipărește|printează|înapoi sus|acceptă tot|accept toate|refuză tot|închide|autentificare|căutare|caută|meniu|anterior|următor|adaugă în coș|urmărește-ne|toate drepturile rezervate",
    ),
    (
        "sk",
        "čítať ďalej|čítať viac|zobraziť viac|načítať ďalšie|zdieľať|zdieľať na facebooku|vytlačiť|tlačiť|späť hore|prejsť na obsah|prijať všetko|odmietnuť všetko|zavrieť|prihlásiť sa|prihlásenie|hľadať|predchádzajúca|nasledujúca|pridať do košíka|sledujte nás|všetky práva vyhradené",
    ),
    (
        "sl",
        "preberi več|beri dalje|prikaži več|naloži več|deli|deli na facebooku|natisni|na vrh|sprejmi vse|zavrni vse|zapri|prijava|iskanje|išči|meni|prejšnja|naslednja|dodaj v košarico|sledite nam|vse pravice pridržane",
    ),
    (
        "sv",
        "läs mer|läs vidare|visa mer|ladda fler|dela|dela på facebook|dela på twitter|skriv ut|till toppen|hoppa till innehåll|acceptera alla|avvisa alla|stäng|logga in|sök|föregående|nästa|lägg i varukorg|följ oss|alla rättigheter förbehållna",
    ),
    (
        "nb",
        "les mer|vis mer|del på facebook|skriv ut|til toppen|gå til innhold|godta alle|avvis alle|lukk|logg inn|søk|meny|forrige|neste|legg i handlekurv|følg oss",
    ),
    (
        "is",
        "lesa meira|sjá meira|deila|deila á facebook|prenta|efst á síðu|samþykkja allt|loka|innskráning|leita|fyrri|næsta|setja í körfu",
    ),
    (
        "uk",
        "читати далі|читати більше|показати більше|поділитися|поділитися у facebook|друкувати|роздрукувати|вгору|прийняти все|закрити|увійти|пошук|попередня|наступна|додати в кошик|слідкуйте за нами|усі права захищені",
    ),
    (
        "ru",
        "читать далее|читать дальше|показать ещё|поделиться|поделиться в facebook|распечатать|наверх|принять все|закрыть|войти|поиск|предыдущая|следующая|в корзину|все права защищены",
    ),
    (
        "ca",
        "llegir més|llegeix més|veure més|mostra'n més|comparteix|comparteix a facebook|imprimeix|torna a dalt|vés al contingut|accepta-ho tot|rebutja-ho tot|tanca|inicia sessió|cerca|següent|afegeix a la cistella|segueix-nos|tots els drets reservats",
    ),
    (
        "eu",
        "irakurri gehiago|gehiago irakurri|erakutsi gehiago|partekatu|inprimatu|joan gora|onartu guztiak|itxi|hasi saioa|bilatu|aurrekoa|hurrengoa|jarraitu",
    ),
    (
        "gl",
        "ler máis|ver máis|amosar máis|compartir en facebook|imprimir|volver arriba|ir ao contido|aceptar todo|pechar|iniciar sesión|buscar|seguinte|engadir ao carriño|séguenos",
    ),
    (
        "tr",
        "devamını oku|daha fazla|daha fazla göster|paylaş|facebook'ta paylaş|yazdır|başa dön|yukarı çık|tümünü kabul et|tümünü reddet|kapat|giriş yap|ara|önceki|sonraki|sepete ekle|bizi takip edin|tüm hakları saklıdır",
    ),
];

/// The longest line that is looked up, in bytes.
const LINE_BYTES_MAX: usize = 120;

/// Lines that go.
pub(super) struct Interface(AHashSet<String>);

impl Interface {
    /// The known ones and `more`.
    pub(super) fn with(more: &[String]) -> Interface {
        let known = LINES.iter().flat_map(|(_, lines)| lines.split('|')).map(str::to_owned);
        Interface(known.chain(more.iter().map(|line| bare(&line.to_lowercase()).to_owned())).collect())
    }

    /// Takes such lines out of `text`; how many there were.
    pub(super) fn take_out(&self, text: &mut String) -> usize {
        let goes = |line: &str| line.len() <= LINE_BYTES_MAX && is_button(line) && self.0.contains(bare(&line.to_lowercase()));
        let count = text.split('\n').filter(|line| goes(line)).count();
        if count > 0 {
            let left: Vec<&str> = text.split('\n').filter(|line| !goes(line)).collect();
            *text = left.join("\n").trim().to_owned();
        }
        count
    }
}

/// A line without the mark of a list before its words, and arrows and dots around them.
fn bare(line: &str) -> &str {
    let line = line.trim();
    let words = line.strip_prefix("- ").or_else(|| line.strip_prefix("• ")).unwrap_or(line);
    words.trim_matches(|sign: char| sign.is_whitespace() || "»›→▶▼▾…«‹←><+|.:".contains(sign))
}

/// Whether a line is written as buttons are, with a capital where the script has them: `next` and `--print` are words of a manual.
fn is_button(line: &str) -> bool {
    bare(line).chars().next().is_some_and(|first| first.is_alphabetic() && !first.is_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_goes_only_as_a_whole() {
        let interface = Interface::with(&["Zur Merkliste".to_owned()]);
        let mut text = "- Weiterlesen …\nWeiterlesen kann man immer.\n» Lire la suite\nZUR MERKLISTE\nprint\n--print\nEnde".to_owned();
        assert_eq!((interface.take_out(&mut text), text.as_str()), (3, "Weiterlesen kann man immer.\nprint\n--print\nEnde"));
    }

    #[test]
    fn lines_are_listed_as_they_are_looked_up() {
        for (lang, lines) in LINES {
            for line in lines.split('|') {
                assert!(bare(&line.to_lowercase()) == line && line.len() <= LINE_BYTES_MAX, "{lang}: {line}");
            }
        }
    }
}

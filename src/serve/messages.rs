//! What the pages say, in English, German and French: one table, so a word that is missing in one of them does not compile.
//!
//! Names of stages, reasons, signals and stores are the program's own words and stand as they are, as in recipes and ledgers.

macro_rules! messages {
    ($($key:ident: $english:literal, $german:literal, $french:literal;)*) => {
        /// All words of one language.
        #[derive(Debug)]
        pub(super) struct Messages {
            /// BCP 47 tag.
            pub(super) code: &'static str,
            /// What the language calls itself.
            pub(super) language_name: &'static str,
            $(pub(super) $key: &'static str,)*
        }

        pub(super) static ENGLISH: Messages = Messages { code: "en", language_name: "English", $($key: $english,)* };
        static GERMAN: Messages = Messages { code: "de", language_name: "Deutsch", $($key: $german,)* };
        static FRENCH: Messages = Messages { code: "fr", language_name: "Français", $($key: $french,)* };

        /// Every message in all three languages, under its name.
        #[cfg(test)]
        const TABLE: &[(&str, [&str; 3])] = &[$((stringify!($key), [$english, $german, $french]),)*];
    };
}

/// All languages.
pub(super) static ALL: [&Messages; 3] = [&ENGLISH, &GERMAN, &FRENCH];

/// The words of the language `code`.
pub(super) fn of(code: &str) -> Option<&'static Messages> {
    ALL.into_iter().find(|messages| messages.code.eq_ignore_ascii_case(code))
}

messages! {
    about_time: "About", "Etwa", "Environ";
    address: "Address", "Adresse", "Adresse";
    after: "after", "nach", "après";
    afterwards: "Afterwards", "Danach", "Après";
    all_languages: "all languages", "alle Sprachen", "toutes les langues";
    approve_and_erase: "Approve and erase", "Freigeben und löschen", "Approuver et effacer";
    back_to_overview: "Back to the overview", "Zurück zur Übersicht", "Retour à la vue d’ensemble";
    back_to_plan: "Back to the plan", "Zurück zum Plan", "Retour au plan";
    before: "Before", "Vorher", "Avant";
    busy_title: "Not now", "Nicht jetzt", "Pas maintenant";
    busy_told: "Something else has to end first. Try again later.", "Zuerst muss etwas anderes enden. Versuchen Sie es später noch einmal.", "Autre chose doit d’abord se terminer. Réessayez plus tard.";
    by_language_and_night: "Documents, and tokens below, by language and night", "Dokumente, darunter Token, nach Sprache und Nacht", "Documents et, dessous, jetons par langue et par nuit";
    change: "Change", "Änderung", "Changement";
    change_request: "Change request", "Anfrage ändern", "Modifier la demande";
    cluster: "Cluster", "Gruppe", "Groupe";
    cluster_caption: "Documents that were left out because they repeat it", "Dokumente, die es wiederholen und darum wegblieben", "Documents écartés parce qu’ils le répètent";
    cluster_of: "cluster of", "Gruppe von", "groupe de";
    cluster_size: "Documents in it", "Dokumente darin", "Documents dedans";
    clusters: "Clusters", "Gruppen", "Groupes";
    clusters_caption: "Clusters of documents that are alike, by size", "Gruppen ähnlicher Dokumente nach Größe", "Groupes de documents semblables, par taille";
    come_in: "Come in", "Eintreten", "Entrer";
    compare: "Compare", "Vergleichen", "Comparer";
    counted_in: "Counted in", "Gezählt in", "Compté dans";
    counting: "Hosts, clusters, signals", "Hosts, Gruppen, Signale", "Hôtes, groupes, signaux";
    counting_told: "They are being counted: {n} of {of} shards are done. Load the page again in a moment.", "Sie werden gezählt: {n} von {of} Shards sind fertig. Laden Sie die Seite gleich noch einmal.", "Comptage en cours : {n} fichiers sur {of}. Rechargez la page dans un instant.";
    cuts: "The whole page: {cut} lines were left out, {kept} are in the text", "Die ganze Seite: {cut} Zeilen blieben weg, {kept} stehen im Text", "Toute la page : {cut} lignes écartées, {kept} dans le texte";
    cuts_label: "Lines of the page; what was left out is struck through, what a stage wrote is underlined", "Zeilen der Seite; was wegblieb, ist durchgestrichen, was eine Stufe schrieb, unterstrichen", "Lignes de la page ; ce qui fut écarté est barré, ce qu’une étape a écrit est souligné";
    cut_short: "The search took too long to end: this is what it found so far.", "Die Suche dauerte zu lange: Das hier fand sie bisher.", "La recherche durait trop longtemps : voici ce qu’elle a trouvé jusqu’ici.";
    data_set: "Data set", "Datensatz", "Jeu de données";
    days_left: "open, {n} days left", "offen, noch {n} Tage", "ouverte, encore {n} jours";
    decision: "Decision", "Entscheidung", "Décision";
    document: "Document", "Dokument", "Document";
    documents: "Documents", "Dokumente", "Documents";
    documents_that_go: "Documents that would go", "Dokumente, die gelöscht würden", "Documents qui seraient effacés";
    done_on: "done on", "erledigt am", "faite le";
    draw: "Draw", "Ziehen", "Tirer";
    draw_cut: "The draw took too long to see everything: it is one by chance of {seen} of {of} parts of the shards.", "Für alles reichte die Zeit nicht: Gezogen wurde aus {seen} von {of} zufällig gewählten Teilen der Shards.", "Le temps ne suffisait pas pour tout voir : tirage parmi {seen} parties des fichiers sur {of}, prises au hasard.";
    draw_least: "At least", "Mindestens", "Au moins";
    draw_most: "At most", "Höchstens", "Au plus";
    draw_number: "Documents", "Dokumente", "Documents";
    draw_others: "Draw others", "Andere ziehen", "En tirer d’autres";
    draw_seed: "Seed", "Startwert", "Graine";
    draw_some: "Draw documents by chance", "Dokumente zufällig ziehen", "Tirer des documents au hasard";
    draw_wrong: "A bound or a number is no number, or there is no such signal.", "Eine Grenze oder Anzahl ist keine Zahl, oder dieses Signal gibt es nicht.", "Une borne ou un nombre n’en est pas un, ou ce signal n’existe pas.";
    due: "Due", "Fällig", "Échéance";
    enter_request: "Enter a request", "Anfrage eintragen", "Inscrire une demande";
    enter_title: "Who are you?", "Wer sind Sie?", "Qui êtes-vous ?";
    enter_told: "Open the link that tamis serve printed, or paste your token.", "Öffnen Sie den Link, den tamis serve gezeigt hat, oder fügen Sie Ihr Token ein.", "Ouvrez le lien affiché par tamis serve, ou collez votre jeton.";
    entries: "Entries", "Einträge", "Entrées";
    erasing: "It is being erased", "Es wird gelöscht", "Effacement en cours";
    expires: "Kept out until (for good if empty)", "Ferngehalten bis (leer: für immer)", "Écarté jusqu’au (vide : pour toujours)";
    extend: "Two months more", "Zwei Monate mehr", "Deux mois de plus";
    extended: "extended", "verlängert", "prolongée";
    failed_told: "It was not done, for this reason:", "Es wurde nicht getan, aus diesem Grund:", "Ce n’est pas fait, pour cette raison :";
    fell_here: "dropped here", "hier gefallen", "écarté ici";
    file: "File", "Datei", "Fichier";
    files: "Files", "Dateien", "Fichiers";
    files_searched: "Files searched afterwards", "Danach durchsuchte Dateien", "Fichiers fouillés ensuite";
    finished: "Finished", "Beendet", "Terminé";
    for_request: "For the request", "Zur Anfrage", "Pour la demande";
    forged_title: "This form is not ours", "Dieses Formular ist nicht von hier", "Ce formulaire n’est pas le nôtre";
    forged_told: "It came from another page or from a session that is over. Load the page again and repeat it.", "Es kam von einer anderen Seite oder aus einer beendeten Sitzung. Laden Sie die Seite neu und wiederholen Sie es.", "Il vient d’une autre page ou d’une session terminée. Rechargez la page et recommencez.";
    from_start: "From the beginning", "Von vorn", "Depuis le début";
    funnel: "The funnel", "Der Trichter", "L’entonnoir";
    funnel_caption: "Documents that were left after each stage that dropped some", "Dokumente, die nach jeder Stufe blieben, die welche verwarf", "Documents restant après chaque étape qui en a écarté";
    gone_title: "Gone", "Gelöscht", "Effacé";
    gone_told: "This document was erased; its receipt has number {n}.", "Dieses Dokument wurde gelöscht; die Quittung hat die Nummer {n}.", "Ce document a été effacé ; le reçu porte le numéro {n}.";
    half_published: "A night is being published, or was interrupted while it was: what you see is what the manifests say, and some files may not stand at their place yet. The next command of tamis that works in the workspace finishes it.", "Eine Nacht wird gerade veröffentlicht oder wurde dabei unterbrochen: Sie sehen, was die Manifeste sagen; einige Dateien stehen vielleicht noch nicht an ihrem Platz. Der nächste Befehl von tamis, der hier arbeitet, beendet es.", "Une nuit est en cours de publication, ou a été interrompue : vous voyez ce que disent les manifestes ; certains fichiers ne sont peut-être pas encore en place. La prochaine commande tamis qui travaille ici terminera.";
    histogram: "How {signal} is spread; the middle document lies at {middle} or a little above", "Verteilung von {signal}; das mittlere Dokument liegt bei {middle} oder etwas darüber", "Répartition de {signal} ; le document médian est à {middle} ou un peu au-dessus";
    host: "Host", "Host", "Hôte";
    hosts: "Hosts", "Hosts", "Hôtes";
    hosts_caption: "The hosts with most documents", "Die Hosts mit den meisten Dokumenten", "Les hôtes qui ont le plus de documents";
    hosts_left_out: "Small hosts with {n} documents were not counted one by one.", "Kleine Hosts mit {n} Dokumenten wurden nicht einzeln gezählt.", "De petits hôtes avec {n} documents n’ont pas été comptés un à un.";
    hosts_told: "{n} hosts in {of} documents.", "{n} Hosts in {of} Dokumenten.", "{n} hôtes dans {of} documents.";
    input_bytes: "Bytes of input", "Bytes der Eingaben", "Octets en entrée";
    inputs: "Inputs", "Eingaben", "Entrées lues";
    is_dropped: "Dropped:", "Verworfen:", "Écarté :";
    is_kept: "Published:", "Veröffentlicht:", "Publié :";
    kept: "kept", "behalten", "gardés";
    kind_containing: "every document that has these words", "jedes Dokument mit diesen Wörtern", "tout document qui contient ces mots";
    kind_content_hash: "the digest of a payload", "die Prüfsumme eines Inhalts", "l’empreinte d’un contenu";
    kind_domain: "a domain with all its hosts", "eine Domain mit allen Hosts", "un domaine avec tous ses hôtes";
    kind_host: "a host", "ein Host", "un hôte";
    kind_id: "a document by its id", "ein Dokument nach seiner Kennung", "un document par son identifiant";
    kind_text: "this text and all like it", "dieser Text und alle ähnlichen", "ce texte et tous les semblables";
    kind_url: "an address", "eine Adresse", "une adresse";
    kind_url_prefix: "an address and all below it", "eine Adresse und alles darunter", "une adresse et tout ce qui est dessous";
    language: "Language", "Sprache", "Langue";
    languages: "Languages", "Sprachen", "Langues";
    languages_caption: "Published documents by language", "Veröffentlichte Dokumente nach Sprache", "Documents publiés par langue";
    large_meant: "So many documents, or a whole domain, are meant.", "So viele Dokumente oder eine ganze Domain sind gemeint.", "Autant de documents, ou tout un domaine, sont bien visés.";
    large_told: "This is a large plan: more than one document in a thousand, or a whole domain. Look twice.", "Dies ist ein großer Plan: mehr als ein Dokument von tausend oder eine ganze Domain. Sehen Sie zweimal hin.", "C’est un grand plan : plus d’un document sur mille, ou tout un domaine. Regardez à deux fois.";
    largest_clusters: "The largest", "Die größten", "Les plus grands";
    leave: "Leave", "Abmelden", "Quitter";
    limit: "limit", "Grenze", "limite";
    look_again: "Look again", "Noch einmal nachsehen", "Regarder à nouveau";
    looked_at_plan: "I looked at the plan, and what it names shall go.", "Ich habe den Plan angesehen; was er nennt, soll gelöscht werden.", "J’ai regardé le plan ; ce qu’il nomme doit disparaître.";
    made_at: "Made at", "Erstellt um", "Fait le";
    made_by: "Made by", "Erstellt von", "Fait par";
    middle: "middle:", "Mitte:", "médiane :";
    more_lines: "{n} more", "{n} weitere", "{n} de plus";
    more_results: "More results", "Weitere Ergebnisse", "Autres résultats";
    near_duplicates: "Documents like those that are named go too", "Dokumente, die den genannten ähneln, auch", "Les documents semblables aussi";
    new_plan: "Plan a takedown", "Löschung planen", "Préparer un effacement";
    new_plan_told: "Planning changes nothing. A second officer looks at the plan and approves it.", "Planen ändert nichts. Eine zweite beauftragte Person sieht den Plan an und gibt ihn frei.", "Préparer ne change rien. Une seconde personne habilitée regarde le plan et l’approuve.";
    next_page: "Next page", "Nächste Seite", "Page suivante";
    night: "Night", "Nacht", "Nuit";
    nights: "Nights", "Nächte", "Nuits";
    nights_caption: "What each night added", "Was jede Nacht brachte", "Ce que chaque nuit a apporté";
    no_night: "No night is under way.", "Zurzeit läuft keine Nacht.", "Aucune nuit n’est en cours.";
    no_officer_title: "For officers", "Für Beauftragte", "Réservé aux personnes habilitées";
    no_officer_told: "Readers may look, and nothing else.", "Leserinnen und Leser dürfen nur ansehen.", "Les lecteurs peuvent seulement regarder.";
    no_original: "There is no page to show: documents of source {source} have none in an archive.", "Es gibt keine Seite zu zeigen: Dokumente der Quelle {source} haben keine in einem Archiv.", "Pas de page à montrer : les documents de la source {source} n’en ont pas dans une archive.";
    no_plans: "No plan waits.", "Kein Plan wartet.", "Aucun plan n’attend.";
    no_receipts: "Nothing was erased yet.", "Es wurde noch nichts gelöscht.", "Rien n’a encore été effacé.";
    no_request: "none: reason and day below", "keine: Grund und Tag unten", "aucune : motif et jour ci-dessous";
    no_requests: "There are no requests.", "Es gibt keine Anfragen.", "Il n’y a pas de demande.";
    no_signals: "No stage measured any.", "Keine Stufe hat welche gemessen.", "Aucune étape n’en a mesuré.";
    no_text: "no text", "kein Text", "pas de texte";
    none_found: "No document is like that.", "Kein Dokument ist so.", "Aucun document n’est ainsi.";
    none_so_far: "Nothing found yet; there is more to search.", "Noch nichts gefunden; es bleibt noch etwas zu durchsuchen.", "Rien trouvé encore ; il reste à chercher.";
    not_done: "Not done", "Nicht getan", "Pas fait";
    not_found_title: "Not here", "Nicht hier", "Pas ici";
    not_found_told: "There is no such page or document, and no run of this workspace dropped one.", "Es gibt keine solche Seite und kein solches Dokument, und kein Lauf hat eines verworfen.", "Il n’y a ni page ni document de ce nom, et aucune nuit n’en a écarté.";
    not_reached: "never came here", "kam nicht bis hier", "pas arrivé ici";
    nothing_published: "Nothing has been published in this workspace yet: tamis run fills it.", "In diesem Arbeitsbereich wurde noch nichts veröffentlicht: tamis run füllt ihn.", "Rien n’a encore été publié dans cet espace : tamis run le remplit.";
    nothing_to_erase: "Nothing of it is here now; approving the plan keeps it out from here on.", "Zurzeit ist nichts davon hier; die Freigabe hält es von nun an fern.", "Il n’y en a rien ici maintenant ; l’approuver l’écarte désormais.";
    number: "Number", "Nummer", "Numéro";
    of: "of", "von", "sur";
    one_night: "One night", "Eine Nacht", "Une nuit";
    one_night_only: "There is only one night yet: it is compared with itself.", "Es gibt erst eine Nacht: Sie wird mit sich selbst verglichen.", "Il n’y a qu’une nuit : elle est comparée à elle-même.";
    only_in: "Only in", "Nur in", "Seulement dans";
    optout: "What the owner says", "Was der Inhaber sagt", "Ce que dit le titulaire";
    original: "The page", "Die Seite", "La page";
    original_frame: "The page as the archive has it, without scripts and style", "Die Seite, wie das Archiv sie hat, ohne Skripte und Gestaltung", "La page telle que l’archive la garde, sans scripts ni style";
    original_gone: "No archive has this page any more, or what it has is another one.", "Kein Archiv hat diese Seite mehr, oder es hat eine andere.", "Aucune archive n’a plus cette page, ou elle en a une autre.";
    original_told: "As the archive has it, without scripts, style and pictures.", "Wie das Archiv sie hat, ohne Skripte, Gestaltung und Bilder.", "Telle que l’archive la garde, sans scripts, style ni images.";
    other_night: "The other night", "Die andere Nacht", "L’autre nuit";
    overdue: "overdue by {n} days", "seit {n} Tagen überfällig", "en retard de {n} jours";
    overview: "Overview", "Übersicht", "Vue d’ensemble";
    own_title: "Your own plan", "Ihr eigener Plan", "Votre propre plan";
    own_told: "You made this plan; another officer has to approve it.", "Sie haben diesen Plan gemacht; jemand anderes muss ihn freigeben.", "Vous avez fait ce plan ; une autre personne doit l’approuver.";
    pages: "Pages", "Seiten", "Pages";
    partly_told: "Everything else is erased, but there is no receipt yet: restore or remove these files, and approve the plan again.", "Alles andere ist gelöscht, aber es gibt noch keine Quittung: Stellen Sie diese Dateien wieder her oder entfernen Sie sie, und geben Sie den Plan noch einmal frei.", "Tout le reste est effacé, mais il n’y a pas encore de reçu : restaurez ou enlevez ces fichiers, et approuvez à nouveau.";
    passed: "passed", "bestanden", "passé";
    per_second: "documents a second", "Dokumente je Sekunde", "documents par seconde";
    personal_data: "Personal data found", "Gefundene personenbezogene Daten", "Données personnelles trouvées";
    plan: "Plan of a takedown", "Plan einer Löschung", "Plan d’effacement";
    plan_erasure_of_this: "Plan a takedown of this document", "Löschung dieses Dokuments planen", "Préparer l’effacement de ce document";
    plan_hash: "Hash of the plan:", "Prüfsumme des Plans:", "Empreinte du plan :";
    progress_of_stage: "Tasks of this stage that are done", "Erledigte Aufgaben dieser Stufe", "Tâches terminées de cette étape";
    provenance: "Where it comes from", "Woher es kommt", "D’où il vient";
    public_key: "Public key:", "Öffentlicher Schlüssel:", "Clé publique :";
    read: "read", "gelesen", "lus";
    reason: "Reason", "Grund", "Motif";
    reasons: "Why documents fell", "Warum Dokumente fielen", "Pourquoi des documents sont écartés";
    reasons_caption: "Each dropped document once, at the stage that dropped it", "Jedes verworfene Dokument einmal, bei der Stufe, die es verwarf", "Chaque document écarté une fois, à l’étape qui l’a écarté";
    receipt: "Receipt", "Quittung", "Reçu";
    receipts: "Receipts", "Quittungen", "Reçus";
    receipts_broken: "Not all receipts hold:", "Nicht alle Quittungen halten:", "Tous les reçus ne tiennent pas :";
    receipts_hold: "Signatures and chain of all receipts hold.", "Unterschriften und Kette aller Quittungen stimmen.", "Les signatures et la chaîne de tous les reçus tiennent.";
    received: "Received", "Eingegangen", "Reçue le";
    recipe: "Recipe", "Rezept", "Recette";
    recipe_hash: "Hash of the recipe", "Prüfsumme des Rezepts", "Empreinte de la recette";
    recipes: "Recipes", "Rezepte", "Recettes";
    recipes_caption: "Recipes of all nights, the newest first", "Rezepte aller Nächte, die neueste zuerst", "Recettes de toutes les nuits, la plus récente d’abord";
    reference: "Reference", "Aktenzeichen", "Référence";
    reference_told: "A file number of your own. No name belongs here.", "Ein eigenes Aktenzeichen. Kein Name gehört hierher.", "Votre numéro de dossier. Aucun nom ici.";
    refuse: "Refuse", "Ablehnen", "Refuser";
    refused_on: "refused on", "abgelehnt am", "refusée le";
    repeats: "It repeats", "Es wiederholt", "Il répète";
    requests: "Requests", "Anfragen", "Demandes";
    resources: "Files that stages read", "Dateien, die Stufen lesen", "Fichiers lus par les étapes";
    same_recipe: "Both nights have the same recipe.", "Beide Nächte haben dasselbe Rezept.", "Les deux nuits ont la même recette.";
    search: "Search", "Suche", "Recherche";
    search_and_plan: "Search and plan", "Suchen und planen", "Chercher et préparer";
    search_on: "Search on", "Weitersuchen", "Chercher encore";
    searching: "It is being searched", "Es wird gesucht", "Recherche en cours";
    second_officer_missing: "Only one officer is known to this server, so nobody can approve: start it with --officer twice.", "Dieser Server kennt nur eine beauftragte Person, also kann niemand freigeben: Starten Sie ihn mit zweimal --officer.", "Ce serveur ne connaît qu’une personne habilitée ; personne ne peut approuver : lancez-le avec deux fois --officer.";
    settings: "Settings", "Einstellungen", "Réglages";
    shards: "Shards", "Shards", "Fichiers";
    show: "Show", "Zeigen", "Montrer";
    signal: "Signal", "Signal", "Signal";
    signals: "Signals of quality", "Signale der Qualität", "Signaux de qualité";
    signature_broken: "The signature does not hold.", "Die Unterschrift stimmt nicht.", "La signature ne tient pas.";
    signature_holds: "The signature holds.", "Die Unterschrift stimmt.", "La signature tient.";
    similarity: "Similarity", "Ähnlichkeit", "Similarité";
    size: "Size", "Größe", "Taille";
    skip: "Skip to the content", "Zum Inhalt springen", "Aller au contenu";
    stage: "Stage", "Stufe", "Étape";
    stage_clean: "cleaning", "Reinigen", "nettoyage";
    stage_decide: "deciding on duplicates", "Entscheiden über Dubletten", "décision sur les doublons";
    stage_emit: "writing shards", "Schreiben der Shards", "écriture des fichiers";
    stands_for: "It stands for {n} documents that are alike, itself among them", "Es steht für {n} ähnliche Dokumente, sich selbst eingeschlossen", "Il représente {n} documents semblables, lui compris";
    state: "State", "Stand", "État";
    store: "Store", "Ablage", "Dépôt";
    stores: "Stores", "Ablagen", "Dépôts";
    sums: "In all", "Insgesamt", "En tout";
    takedowns: "Takedowns", "Löschungen", "Effacements";
    text: "Text", "Text", "Texte";
    text_cut: "The text goes on; only its beginning is shown.", "Der Text geht weiter; hier steht nur sein Anfang.", "Le texte continue ; seul le début est montré.";
    token: "Token", "Token", "Jeton d’accès";
    tokens: "Tokens", "Token", "Jetons";
    too_many_title: "Too fast", "Zu schnell", "Trop vite";
    too_many_told: "So many questions come from you that others would wait. Try again in some seconds.", "Von Ihnen kommen so viele Fragen, dass andere warten müssten. Versuchen Sie es in einigen Sekunden wieder.", "Trop de demandes viennent de vous. Réessayez dans quelques secondes.";
    trail: "Its way through the stages", "Sein Weg durch die Stufen", "Son chemin à travers les étapes";
    trouble_title: "The workspace cannot be read", "Der Arbeitsbereich ist nicht lesbar", "L’espace de travail est illisible";
    trouble_told: "The server goes on; what is the matter stands below.", "Der Server läuft weiter; was los ist, steht unten.", "Le serveur continue ; voici ce qui ne va pas.";
    under_way_told: "This page asks again by itself until it is done.", "Diese Seite fragt von selbst nach, bis es fertig ist.", "Cette page se recharge jusqu’à la fin.";
    unerased_files: "Files that could not be searched or changed", "Dateien, die nicht durchsucht oder geändert werden konnten", "Fichiers impossibles à fouiller ou à changer";
    value: "value", "Wert", "valeur";
    waiting_plans: "Plans that wait", "Wartende Pläne", "Plans en attente";
    what: "What", "Was", "Quoi";
    what_goes: "What shall go", "Was gelöscht werden soll", "Ce qui doit disparaître";
    which: "Which", "Welches", "Lequel";
    which_told: "One a line; a text as a whole.", "Eines je Zeile; ein Text im Ganzen.", "Un par ligne ; un texte en entier.";
    why: "Why", "Warum", "Pourquoi";
    winner: "The one that stayed", "Das gebliebene", "Celui qui est resté";
    withdraw: "Withdraw the plan", "Plan zurückziehen", "Retirer le plan";
    words_or_id: "Words, an id or an address", "Wörter, eine Kennung oder eine Adresse", "Des mots, un identifiant ou une adresse";
    wrong_title: "That makes no sense", "Das ergibt keinen Sinn", "Cela n’a pas de sens";
    wrong_told: "Go back, change it, and try again. What is the matter:", "Gehen Sie zurück, ändern Sie es und versuchen Sie es noch einmal. Was los ist:", "Revenez, changez-le et réessayez. Ce qui ne va pas :";
    wrong_token_title: "This token is none", "Dieses Token gilt nicht", "Ce jeton n’est pas valable";
    wrong_token_told: "Tokens are made anew whenever the server starts. Use the link that it printed last.", "Token werden bei jedem Start neu gemacht. Nehmen Sie den Link, den der Server zuletzt gezeigt hat.", "Les jetons changent à chaque démarrage. Prenez le dernier lien affiché.";
    you_are: "You are", "Sie sind", "Vous êtes";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_message_is_there_in_all_languages_with_the_same_places_to_fill() {
        let places = |text: &str| -> std::collections::BTreeSet<String> {
            text.split('{').skip(1).filter_map(|part| Some(part.split_once('}')?.0.to_owned())).collect()
        };
        assert!(TABLE.len() > 200);
        for (name, [english, german, french]) in TABLE {
            assert!([english, german, french].iter().all(|text| !text.trim().is_empty()), "{name}");
            assert!(places(english) == places(german) && places(english) == places(french), "{name}");
        }
    }

    #[test]
    fn long_messages_are_translated() {
        for (name, [english, german, french]) in TABLE {
            let is_long = english.split(' ').count() > 2;
            assert!(!is_long || (english != german && english != french && german != french), "{name}");
        }
    }
}

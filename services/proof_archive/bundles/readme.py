"""`LISEZMOI.txt`: what a bundle is, how to verify it, what it does not prove. One text per version of the format."""

from __future__ import annotations

from shared import canonical

README_FR = """\
DOSSIER DE PREUVE D'UN CONSENTEMENT (format 2)

CE QUE C'EST
Ce dossier rassemble les entrées d'un journal infalsifiable qui concernent un seul consentement à la prospection
commerciale : sa déclaration par le collecteur, son évaluation, les versions du formulaire, de la mention d'information,
de la liste des destinataires et du contrat sur lesquelles elle s'appuie, puis, s'il y en a eu, le retrait ou l'opposition
de la personne, les ordres adressés à chaque destinataire, leurs réponses et l'effacement.

  manifest.json        l'inventaire : chaque fichier et son empreinte, et toutes les entrées connues de ce consentement
  manifest.note        la signature de cet inventaire par la plateforme
  timeline.json        l'histoire en clair, déduite des seules entrées
  disclosures.json     ce qui est dévoilé à celui pour qui le dossier a été établi, et à lui seul : les données
                       personnelles et les lignes de l'évaluation qu'il peut lire
  entries/NNN.bin      les entrées du journal, à l'octet près
  entries/NNN.body     les faits trop longs pour tenir dans l'entrée, qui en contient l'empreinte
  entries/NNN.tlog-proof   la preuve que l'entrée figure dans le journal, avec le point de contrôle signé
  evidence/            les pièces dont les entrées contiennent l'empreinte (copie de page, capture, mention, contrat)
  timestamps/          les horodatages des points de contrôle par une autorité tierce (RFC 3161), s'il y en a
  attestation.pdf      un récit à lire ou à imprimer, s'il est joint : il ne prouve rien par lui-même

COMMENT LE VÉRIFIER, SANS NOUS
  opposable verify DOSSIER.zip --policy FICHIER-DE-CONFIANCE
Le fichier de confiance contient les clés publiques du journal et des témoins. Il ne doit pas venir de ce dossier :
demandez-le à la plateforme, à un témoin ou à votre expert, par une autre voie. La vérification se fait hors ligne. Elle
échoue si un seul octet du dossier a changé, si une entrée a été retirée, ajoutée ou échangée.

CE QUI EST PROUVÉ
- Chaque entrée figurait dans le journal, telle quelle, au plus tard quand le point de contrôle joint a été signé.
- Le journal n'a pas été réécrit en deçà de ce point de contrôle, dans la mesure où des témoins indépendants de la
  plateforme l'ont cosigné. Une entrée horodatée existait, telle quelle, à l'heure de l'horodatage. Sans témoin ni
  horodatage, la preuve n'est pas indépendante : le vérificateur le dit.
- Les valeurs dévoilées sont celles que la plateforme a reçues ; les lignes dévoilées de l'évaluation sont celles que le
  journal engage, une à une. Le nombre des autres est dit, et rien d'autre d'elles.

CE QUI N'EST PAS PROUVÉ
- Que le collecteur a dit vrai. L'évaluation dit que les contrôles sont satisfaits au vu des déclarations du collecteur ;
  elle ne dit rien de plus.
- Que rien d'autre n'existe sur ce consentement : l'inventaire engage la parole de celui qui l'a signé, pas davantage.
- Ce qui s'est passé après la taille du journal indiquée dans le manifeste : un retrait postérieur n'y figure pas.

EFFACEMENT
Quand la personne a obtenu l'effacement, les entrées restent vérifiables mais ne permettent plus de retrouver ses
données : le vérificateur affiche « incluse, données personnelles effacées ». Un dossier déjà remis ne peut pas être
effacé à distance : celui qui le détient répond de sa conservation.

Ce dossier n'est pas un avis juridique.
"""

FORMAT_1 = "b5937241f87d782ab132856d037c6054d46b60651c9fdef61988983ada291a6f"
"""SHA-256 of the text of format 1: bundles whose verdicts hold their lines whole."""
KNOWN = frozenset({FORMAT_1, canonical.sha256_hex(README_FR.encode())})
"""SHA-256 of the texts that a bundle may hold."""

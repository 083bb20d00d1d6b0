"""What speech engines say where nobody speaks: they learnt from subtitles, and silence looks like the end of a film.

Whole segments by the words alone; whatever language the engine thinks it heard. A person may say "thank you" in earnest,
so these count only in a segment that is short or likely silent.
"""

import unicodedata

_WHOLE = {
    "en": (
        "thank you", "thanks", "thank you very much", "thank you so much", "thank you for watching", "thanks for watching",
        "thank you for watching this video", "thanks for watching this video", "thank you so much for watching",
        "please subscribe", "please like and subscribe", "please subscribe to my channel", "like and subscribe",
        "see you next time", "see you in the next video", "i'll see you in the next video", "bye", "bye bye", "you",
        "the end", "music", "applause", "blank_audio", "silence", "end",
    ),
    "de": (
        "vielen dank", "danke", "vielen dank fürs zuschauen", "danke fürs zuschauen", "vielen dank für's zuschauen",
        "bis zum nächsten mal", "tschüss", "musik", "das war's", "copyright wdr 2021", "swr 2021",
    ),
    "fr": ("merci", "merci d'avoir regardé cette vidéo", "merci d'avoir regardé", "abonnez-vous", "au revoir", "musique"),
    "es": ("gracias", "gracias por ver el video", "gracias por ver", "suscríbete", "¡suscríbete al canal", "música"),
    "it": ("grazie", "grazie a tutti", "grazie per la visione", "grazie per aver guardato il video", "musica"),
    "pt": ("obrigado", "obrigada", "obrigado por assistir", "inscreva-se no canal", "tchau"),
    "nl": ("dank u wel", "bedankt voor het kijken", "bedankt", "tot de volgende keer"),
    "pl": ("dziękuję", "dziękuję za uwagę", "dzięki za oglądanie"),
    "ru": ("спасибо за просмотр", "продолжение следует", "спасибо", "подписывайтесь на канал"),
    "tr": ("izlediğiniz için teşekkürler", "izlediğiniz için teşekkür ederim", "abone olun"),
    "ja": ("ご視聴ありがとうございました", "ご清聴ありがとうございました", "ありがとうございました", "おやすみなさい"),
    "zh": ("谢谢观看", "謝謝觀看", "谢谢大家", "请不吝点赞 订阅 转发 打赏支持明镜与点点栏目"),
    "ko": ("시청해 주셔서 감사합니다", "감사합니다", "구독과 좋아요 부탁드립니다"),
    "sv": ("tack för att ni tittade", "tack", "tack för att du tittade"),
}  # fmt: skip
# Credits of subtitles: whoever begins so does not speak into a telephone.
_BEGINNINGS = (
    "untertitel der amara.org", "untertitel im auftrag des", "untertitelung des zdf", "untertitelung im auftrag",
    "untertitel von stephanie geiges", "untertitelung aufgrund der amara.org",
    "subtitles by the amara.org", "subtitles by", "subtitled by", "transcribed by", "transcription by castingwords",
    "captions by", "sous-titres réalisés par", "sous-titres réalisés para", "sous-titrage st", "sous-titrage société",
    "sous-titres par", "subtítulos realizados por", "subtítulos por la comunidad", "subtítulos en español",
    "sottotitoli creati dalla", "sottotitoli e revisione a cura di", "sottotitoli a cura di", "legendas pela comunidade",
    "legenda adriana zanotto", "ondertitels ingediend door", "ondertiteling", "napisy stworzone przez", "napisy wykonał",
    "субтитры сделал", "субтитры создавал", "субтитры подогнал", "редактор субтитров", "altyazı m.k", "字幕由amara.org",
    "字幕志愿者", "字幕by", "字幕製作", "teksting av", "tekster av", "undertexter från amara.org", "svensktextning",
    "danske tekster af", "www.mooji.org",
)  # fmt: skip
_STRIPPED = " \t\n.,!?…:;-–—~*♪♫()[]{}<>\"'“”„«»¡¿。、！？・"


def bare(text: str) -> str:
    """A text as phrases are compared: folded, on one line, without the signs around it."""
    folded = unicodedata.normalize("NFC", text).casefold().replace("’", "'")
    return " ".join(folded.split()).strip(_STRIPPED)


_PHRASES = frozenset(bare(each) for phrases in _WHOLE.values() for each in phrases)
_OPENINGS = tuple(bare(each) for each in _BEGINNINGS)


def is_made_up(text: str) -> bool:
    """Whether a segment is nothing but what engines say into silence. A phrase said several times over is one, too."""
    told = bare(text)
    if told in _PHRASES or told.startswith(_OPENINGS):
        return True
    sentences = [found for each in told.replace("!", ".").replace("?", ".").split(".") if (found := bare(each))]
    return len(sentences) > 1 and all(each in _PHRASES for each in sentences)

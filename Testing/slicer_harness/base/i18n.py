"""Translation, without translations."""


def tr(text):
    return text


def translate(context, text):
    return text

"""JSON whose numbers keep their text.

A number is held as a marked string ("\\x01N:0.10"), so that trees hold only str, bool, None, dict and list, compare
exactly, and go out as they came in. Both directions run at the speed of the C encoder.
"""
import json
import re

MARK = "\x01N:"
_MARKED = re.compile(r'"\\u0001N:([^"]*)"')


def number(text):
    """A number with exactly this text."""
    return MARK + str(text)


def is_number(value):
    return isinstance(value, str) and value.startswith(MARK)


def plain(value):
    """The text of a scalar: a number's or boolean's JSON text, a string's content."""
    if value is True:
        return "true"
    if value is False:
        return "false"
    return value[len(MARK):] if is_number(value) else value


def _refuse(text):
    raise ValueError(f"{text} is not JSON")


_decoder = json.JSONDecoder(parse_float=number, parse_int=number, parse_constant=_refuse)
_encoder = json.JSONEncoder(ensure_ascii=True, separators=(",", ":"))


def parse(text):
    """The tree of a JSON text (str or UTF-8 bytes); ValueError when it is none."""
    try:
        return _decoder.decode(text.decode("utf-8") if isinstance(text, (bytes, bytearray)) else text)
    except RecursionError:
        raise ValueError("nested too deep") from None


def render(tree):
    """One line of JSON."""
    return _MARKED.sub(r"\1", _encoder.encode(tree))

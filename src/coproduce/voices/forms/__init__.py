"""What people fill in to bring in stories, put them right, mark quotes, write down voices and allow uses."""

from coproduce.voices.forms.consent import (
    ConsentForm,
    DefaultForm,
    LimitForm,
    ManyUsesForm,
    MaskForm,
    TakeBackForm,
)
from coproduce.voices.forms.fields import UsesForm
from coproduce.voices.forms.incoming import HaveYourSayForm, PutAsideForm, TakeInForm
from coproduce.voices.forms.saying import FindVoicesForm, SayForm, WriteDownForForm, WriteDownForm
from coproduce.voices.forms.stories import StoryForm, TakeQuotesForm, WhoToldForm
from coproduce.voices.forms.turns import (
    AddSpeakerForm,
    KeepForm,
    ManyTurnsForm,
    MendForm,
    QuoteForm,
    SpeakerForm,
    SplitForm,
    TrimForm,
    TurnSpeakerForm,
    WhoSpeaksForm,
)

__all__ = [
    "AddSpeakerForm",
    "ConsentForm",
    "DefaultForm",
    "FindVoicesForm",
    "HaveYourSayForm",
    "KeepForm",
    "LimitForm",
    "ManyTurnsForm",
    "ManyUsesForm",
    "MaskForm",
    "MendForm",
    "PutAsideForm",
    "QuoteForm",
    "SayForm",
    "SpeakerForm",
    "SplitForm",
    "StoryForm",
    "TakeBackForm",
    "TakeInForm",
    "TakeQuotesForm",
    "TrimForm",
    "TurnSpeakerForm",
    "UsesForm",
    "WhoSpeaksForm",
    "WhoToldForm",
    "WriteDownForForm",
    "WriteDownForm",
]

from django.urls import path

from coproduce.voices import incoming, views

app_name = "voices"
urlpatterns = [
    path("have-your-say/", incoming.have_your_say, name="have_your_say"),
    path("have-your-say/sum/", incoming.new_sum, name="sum"),
    path("have-your-say/thank-you/", incoming.thank_you, name="thank_you"),
    path("stories/", views.stories, name="stories"),
    path("stories/add/", views.add_story, name="add_story"),
    path("stories/<int:pk>/", views.story, name="story"),
    path("stories/<int:pk>/progress/", views.progress, name="progress"),
    path("stories/<int:pk>/trim/", views.trim, name="trim"),
    path("stories/<int:pk>/who-speaks/", views.who_speaks, name="who_speaks"),
    path("stories/<int:pk>/many-turns/", views.many_turns, name="many_turns"),
    path("stories/<int:pk>/add-speaker/", views.add_speaker, name="add_speaker"),
    path("stories/<int:pk>/file/", views.story_file, name="story_file"),
    path("stories/speakers/<int:pk>/", views.speaker, name="speaker"),
    path("stories/turns/<int:pk>/", views.turn, name="turn"),
    path("stories/turns/<int:pk>/mend/", views.mend, name="mend"),
    path("stories/turns/<int:pk>/split/", views.split, name="split"),
    path("stories/turns/<int:pk>/speaker/", views.turn_speaker, name="turn_speaker"),
    path("stories/turns/<int:pk>/keep/", views.keep, name="keep"),
    path("have-your-say/queue/", incoming.queue, name="queue"),
    path("have-your-say/queue/<int:pk>/", incoming.one, name="incoming"),
    path("have-your-say/queue/<int:pk>/put-aside/", incoming.put_aside, name="put_aside"),
    path("voices/", views.voices, name="voices"),
    path("voices/add/", views.add_voice, name="add"),
    path("voices/say/", views.say, name="say"),
    path("voices/<int:pk>/", views.voice, name="voice"),
    path("voices/<int:pk>/consent/", views.consent, name="consent"),
    path("voices/<int:pk>/remove/", views.remove_quote, name="remove_quote"),
]
